/* Mounts. Whatever may have to talk to a file server runs off the event loop. */
#include <sys/mount.h>

#include "kata.h"

static void run_mount(struct work *work) {
  if (mount(work->text[0], work->text[1], work->text[2], (unsigned long)work->number[0], work->text[3]) < 0)
    work->error = errno;
}

/* mount(source | null, target, type | null, flags, data | null) -> promise */
static napi_value Mount(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct work *work = work_new(env, "mount", run_mount);
  if (work == NULL) return NULL;
  if (!optional_text_argument(env, args[0], "source", &work->text[0]) ||
      !text_argument(env, args[1], "target", &work->text[1]) ||
      !optional_text_argument(env, args[2], "type", &work->text[2]) ||
      !integer_argument(env, args[3], "flags", 0, UINT32_MAX, &work->number[0]) ||
      !optional_text_argument(env, args[4], "data", &work->text[3]))
    return work_discard(work);
  return work_start(env, work);
}

static void run_umount(struct work *work) {
  if (umount2(work->text[0], (int)work->number[0]) < 0) work->error = errno;
}

/* umount(target, flags) -> promise */
static napi_value Umount(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct work *work = work_new(env, "umount2", run_umount);
  if (work == NULL) return NULL;
  if (!text_argument(env, args[0], "target", &work->text[0]) ||
      !integer_argument(env, args[1], "flags", 0, INT32_MAX, &work->number[0]))
    return work_discard(work);
  return work_start(env, work);
}

bool init_mount(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"mount", Mount}, {"umount", Umount});
}
