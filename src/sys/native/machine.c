/* The machine as a whole: host name, disks, power, kernel modules, clock, random numbers, swap. */
#include <fcntl.h>
#include <linux/random.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/swap.h>
#include <sys/time.h>
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

/*
 * reboot(command); of the commands only power off (0x4321fedc) and restart (0x01234567) are taken. At once and not on
 * a thread of the pool: all of them may be waiting for a dead share, and nothing is left to be kept waiting by this.
 */
static napi_value Reboot(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  double command;
  if (!integer_argument(env, args[0], "command", 1, INT32_MAX, &command)) return NULL;
  if ((int)command != RB_POWER_OFF && (int)command != RB_AUTOBOOT)
    return throw_type_error(env, "command", "power off or restart");
  return reboot((int)command) < 0 ? throw_errno(env, errno, "reboot") : NULL;
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

/* setClock(seconds, microseconds): of the wall clock, since 1970 */
static napi_value SetClock(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  double seconds, microseconds;
  if (!integer_argument(env, args[0], "seconds", 0, (double)(1ll << 53), &seconds) ||
      !integer_argument(env, args[1], "microseconds", 0, 999999, &microseconds))
    return NULL;
  struct timeval now = {.tv_sec = (time_t)seconds, .tv_usec = (suseconds_t)microseconds};
  return settimeofday(&now, NULL) < 0 ? throw_errno(env, errno, "settimeofday") : NULL;
}

/* Mixes the bytes into the kernel's pool, credits them in bits, and has the generator take a new seed from it. */
static int add_entropy(int fd, const uint8_t *data, size_t length) {
  struct rand_pool_info *pool = malloc(sizeof *pool + length);
  if (pool == NULL) return ENOMEM;
  pool->entropy_count = (int)length * 8;
  pool->buf_size = (int)length;
  memcpy(pool->buf, data, length);
  int error = ioctl(fd, RNDADDENTROPY, pool) < 0 || ioctl(fd, RNDRESEEDCRNG) < 0 ? errno : 0;
  explicit_bzero(pool, sizeof *pool + length);
  free(pool);
  return error;
}

/* reseedRandom(bytes): at most 64 KiB */
static napi_value ReseedRandom(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  uint8_t *data;
  size_t length;
  if (!bytes_argument(env, args[0], "bytes", &data, &length)) return NULL;
  if (length > 65536) return throw_type_error(env, "bytes", "at most 64 KiB");
  int fd = open("/dev/random", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return throw_errno(env, errno, "open");
  int error = add_entropy(fd, data, length);
  close(fd);
  return error ? throw_errno(env, error, "ioctl") : NULL;
}

static void run_swap(struct work *work) {
  if (swapon(work->text[0], 0) < 0) work->error = errno;
}

/* swapOn(path) -> promise */
static napi_value SwapOn(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct work *work = work_new(env, "swapon", run_swap);
  if (work == NULL) return NULL;
  if (!text_argument(env, args[0], "path", &work->text[0])) return work_discard(work);
  return work_start(env, work);
}

bool init_machine(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"setHostname", SetHostname}, {"syncDisks", SyncDisks}, {"reboot", Reboot},
                   {"loadModule", LoadModule}, {"setClock", SetClock}, {"reseedRandom", ReseedRandom},
                   {"swapOn", SwapOn});
}
