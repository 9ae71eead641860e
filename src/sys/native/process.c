/* Processes: pidfds, waiting for children, and what a process may set about itself. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kata.h"

/* glibc 2.36 has these as functions, older ones do not: the system calls are the same everywhere. */
#ifndef P_PIDFD
#define P_PIDFD 3
#endif

/* openPidfd(pid) -> fd; the descriptor is close-on-exec by its nature */
static napi_value OpenPidfd(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int pid;
  if (!int_argument(env, args[0], "pid", &pid)) return NULL;
  long fd = syscall(SYS_pidfd_open, pid, 0);
  return fd < 0 ? throw_errno(env, errno, "pidfd_open") : make_number(env, (double)fd);
}

/* signalPidfd(pidfd, signal): signal 0 only asks whether the process is there, also as a zombie */
static napi_value SignalPidfd(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, number;
  if (!fd_argument(env, args[0], &fd) || !int_argument(env, args[1], "signal", &number)) return NULL;
  if (syscall(SYS_pidfd_send_signal, fd, number, NULL, 0) < 0) return throw_errno(env, errno, "pidfd_send_signal");
  return NULL;
}

/* waitChild(which, id, options) -> [pid, si_code, si_status], or null when none has ended. Never blocks. */
static napi_value WaitChild(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int which, id, options;
  if (!int_argument(env, args[0], "which", &which) || !int_argument(env, args[1], "id", &id) ||
      !int_argument(env, args[2], "options", &options))
    return NULL;
  if (which != P_ALL && which != P_PID && which != P_PIDFD)
    return throw_type_error(env, "which", "P_ALL, P_PID or P_PIDFD");
  siginfo_t found;
  memset(&found, 0, sizeof found);
  if (waitid((idtype_t)which, (id_t)id, &found, options | WNOHANG) < 0) return throw_errno(env, errno, "waitid");
  if (found.si_pid == 0) {
    napi_value none = NULL;
    napi_get_null(env, &none);
    return none;
  }
  return make_numbers(env, (int[]){found.si_pid, found.si_code, found.si_status}, 3);
}

/* setChildSubreaper(on) */
static napi_value SetChildSubreaper(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  bool on;
  if (!bool_argument(env, args[0], "on", &on)) return NULL;
  if (prctl(PR_SET_CHILD_SUBREAPER, on ? 1UL : 0UL, 0, 0, 0) < 0) return throw_errno(env, errno, "prctl");
  return NULL;
}

/* setProcessName(name): the kernel keeps 15 bytes of it. Sets that of the calling thread, which is the main one. */
static napi_value SetProcessName(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char *name;
  if (!text_argument(env, args[0], "name", &name)) return NULL;
  char kept[16] = {0};
  memcpy(kept, name, strnlen(name, 15));
  free(name);
  return prctl(PR_SET_NAME, kept, 0, 0, 0) < 0 ? throw_errno(env, errno, "prctl") : NULL;
}

/* newSession() -> id of the session */
static napi_value NewSession(napi_env env, napi_callback_info info) {
  (void)info;
  pid_t session = setsid();
  return session < 0 ? throw_errno(env, errno, "setsid") : make_number(env, session);
}

/* getDescriptorLimit() -> [soft, hard] */
static napi_value GetDescriptorLimit(napi_env env, napi_callback_info info) {
  (void)info;
  struct rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0) return throw_errno(env, errno, "getrlimit");
  napi_value made = NULL;
  if (napi_create_array_with_length(env, 2, &made) != napi_ok) return NULL;
  napi_set_element(env, made, 0, make_number(env, (double)limit.rlim_cur));
  napi_set_element(env, made, 1, make_number(env, (double)limit.rlim_max));
  return made;
}

/* setDescriptorLimit(soft, hard) */
static napi_value SetDescriptorLimit(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  uint32_t soft, hard;
  if (!uint_argument(env, args[0], "soft", &soft) || !uint_argument(env, args[1], "hard", &hard)) return NULL;
  struct rlimit limit = {.rlim_cur = soft, .rlim_max = hard};
  return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? throw_errno(env, errno, "setrlimit") : NULL;
}

/*
 * endProcess(status): at once, without return. What ends a process in the ordinary way waits for the threads of libuv's
 * pool, of which a dead share may hold some for ever.
 */
static napi_value EndProcess(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  double status;
  if (!integer_argument(env, args[0], "status", 0, 255, &status)) return NULL;
  _exit((int)status);
}

bool init_process(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"openPidfd", OpenPidfd}, {"signalPidfd", SignalPidfd}, {"waitChild", WaitChild},
                   {"setChildSubreaper", SetChildSubreaper}, {"setProcessName", SetProcessName},
                   {"newSession", NewSession}, {"getDescriptorLimit", GetDescriptorLimit},
                   {"setDescriptorLimit", SetDescriptorLimit}, {"endProcess", EndProcess});
}
