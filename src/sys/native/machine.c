/* The machine as a whole: host name, disks, power, kernel modules. */
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kata.h"

/* setHostname(name) */
static napi_value SetHostname(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char *name;
  if (!text_argument(env, args[0], "name", &name)) return NULL;
  int error = sethostname(name, strlen(name)) < 0 ? errno : 0;
  free(name);
  return error ? throw_errno(env, error, "sethostname") : NULL;
}

static void run_sync(struct work *work) {
  (void)work;
  sync();
}

/* syncDisks() -> promise */
static napi_value SyncDisks(napi_env env, napi_callback_info info) {
  (void)info;
  struct work *work = work_new(env, "sync", run_sync);
  return work == NULL ? NULL : work_start(env, work);
}

static void run_reboot(struct work *work) {
  if (reboot((int)work->number[0]) < 0) work->error = errno;
}

/* reboot(command) -> promise; of the commands only power off (0x4321fedc) and restart (0x01234567) are taken */
static napi_value Reboot(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct work *work = work_new(env, "reboot", run_reboot);
  if (work == NULL) return NULL;
  if (!integer_argument(env, args[0], "command", 1, INT32_MAX, &work->number[0])) return work_discard(work);
  if ((int)work->number[0] != RB_POWER_OFF && (int)work->number[0] != RB_AUTOBOOT) {
    work_discard(work);
    return throw_type_error(env, "command", "power off or restart");
  }
  return work_start(env, work);
}

static void run_load(struct work *work) {
  if (syscall(SYS_finit_module, (int)work->number[0], work->text[0], (int)work->number[1]) < 0) work->error = errno;
}

/* loadModule(fd, parameters, flags) -> promise; the kernel may unpack and probe for a while */
static napi_value LoadModule(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct work *work = work_new(env, "finit_module", run_load);
  if (work == NULL) return NULL;
  if (!integer_argument(env, args[0], "fd", 0, INT32_MAX, &work->number[0]) ||
      !text_argument(env, args[1], "parameters", &work->text[0]) ||
      !integer_argument(env, args[2], "flags", 0, INT32_MAX, &work->number[1]))
    return work_discard(work);
  return work_start(env, work);
}

bool init_machine(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"setHostname", SetHostname}, {"syncDisks", SyncDisks}, {"reboot", Reboot},
                   {"loadModule", LoadModule});
}
