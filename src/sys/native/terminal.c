/* Pseudo terminals: a pair, its window size, and becoming the controlling terminal of a session. */
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "kata.h"

/* openTerminal() -> [master, slave], both close-on-exec */
static napi_value OpenTerminal(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2], error;
  ends[0] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ends[0] < 0) return throw_errno(env, errno, "posix_openpt");
  if (unlockpt(ends[0]) < 0) goto failed;
  /* The slave by way of the master: right also where /dev/pts is that of another mount namespace. */
  ends[1] = ioctl(ends[0], TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
  if (ends[1] < 0) goto failed;
  return make_numbers(env, ends, 2);
failed:
  error = errno;
  close(ends[0]);
  return throw_errno(env, error, "ioctl");
}

/* setWindowSize(fd, rows, columns) */
static napi_value SetWindowSize(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd;
  double rows, columns;
  if (!fd_argument(env, args[0], &fd) || !integer_argument(env, args[1], "rows", 0, USHRT_MAX, &rows) ||
      !integer_argument(env, args[2], "columns", 0, USHRT_MAX, &columns))
    return NULL;
  struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
  return ioctl(fd, TIOCSWINSZ, &size) < 0 ? throw_errno(env, errno, "ioctl") : NULL;
}

/* getWindowSize(fd) -> [rows, columns] */
static napi_value GetWindowSize(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  struct winsize size;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  if (ioctl(fd, TIOCGWINSZ, &size) < 0) return throw_errno(env, errno, "ioctl");
  return make_numbers(env, (int[]){size.ws_row, size.ws_col}, 2);
}

/* setControllingTerminal(fd): precondition, the caller leads a session that has none */
static napi_value SetControllingTerminal(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  return ioctl(fd, TIOCSCTTY, 0) < 0 ? throw_errno(env, errno, "ioctl") : NULL;
}

bool init_terminal(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"openTerminal", OpenTerminal}, {"setWindowSize", SetWindowSize}, {"getWindowSize", GetWindowSize},
                   {"setControllingTerminal", SetControllingTerminal});
}
