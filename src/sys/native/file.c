/* openat2: opens a path that somebody else chose without leaving a given directory. */
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kata.h"

static void run_open(struct work *work) {
  struct open_how how = {.flags = (uint64_t)work->number[1],
                         .mode = (uint64_t)work->number[2],
                         .resolve = (uint64_t)work->number[3]};
  long fd = syscall(SYS_openat2, (int)work->number[0], work->text[0], &how, sizeof how);
  if (fd < 0) work->error = errno;
  work->result = (double)fd;
}

/* openAt(directory fd, path, flags, mode, resolve) -> promise of an fd; the path may lie on a dead share */
static napi_value OpenAt(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct work *work = work_new(env, "openat2", run_open);
  if (work == NULL) return NULL;
  if (!integer_argument(env, args[0], "directory", 0, INT32_MAX, &work->number[0]) ||
      !text_argument(env, args[1], "path", &work->text[0]) ||
      !integer_argument(env, args[2], "flags", 0, INT32_MAX, &work->number[1]) ||
      !integer_argument(env, args[3], "mode", 0, 07777, &work->number[2]) ||
      !integer_argument(env, args[4], "resolve", 0, UINT32_MAX, &work->number[3]))
    return work_discard(work);
  return work_start(env, work);
}

bool init_file(napi_env env, napi_value exports) { EXPORT_FUNCTIONS({"openAt", OpenAt}); }
