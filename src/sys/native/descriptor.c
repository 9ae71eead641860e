/*
 * Reading and writing of non-blocking descriptors. The caller gives the memory; nothing is allocated per read.
 * "Would block" is an ordinary result here, not an error: it happens once per burst.
 */
#include <fcntl.h>
#include <limits.h>
#include <sys/uio.h>
#include <unistd.h>

#include "kata.h"

/* read(fd, into, offset, length) -> bytes read, 0 at the end, -1 when it would block */
static napi_value Read(napi_env env, napi_callback_info info) {
  ARGUMENTS(4);
  int fd;
  uint8_t *data;
  size_t size;
  uint32_t offset, length;
  if (!fd_argument(env, args[0], &fd) || !bytes_argument(env, args[1], "into", &data, &size) ||
      !uint_argument(env, args[2], "offset", &offset) || !uint_argument(env, args[3], "length", &length))
    return NULL;
  if (offset > size || length > size - offset) return throw_type_error(env, "offset and length", "inside the buffer");
  ssize_t got;
  do got = read(fd, data + offset, length);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno != EAGAIN) return throw_errno(env, errno, "read");
  return make_number(env, (double)got);
}

/* write(fd, bytes) -> bytes written, 0 when it would block */
static napi_value Write(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  uint8_t *data;
  size_t size;
  if (!fd_argument(env, args[0], &fd) || !bytes_argument(env, args[1], "bytes", &data, &size)) return NULL;
  ssize_t put;
  do put = write(fd, data, size);
  while (put < 0 && errno == EINTR);
  if (put < 0 && errno != EAGAIN) return throw_errno(env, errno, "write");
  return make_number(env, put < 0 ? 0 : (double)put);
}

/* writev(fd, chunks) -> bytes written, 0 when it would block. Takes as many chunks as one call of the kernel does. */
static napi_value Writev(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  bool is_array = false;
  uint32_t count = 0;
  struct iovec parts[IOV_MAX];
  if (!fd_argument(env, args[0], &fd)) return NULL;
  if (napi_is_array(env, args[1], &is_array) != napi_ok || !is_array)
    return throw_type_error(env, "chunks", "an array");
  napi_get_array_length(env, args[1], &count);
  if (count > IOV_MAX) count = IOV_MAX;
  for (uint32_t i = 0; i < count; i++) {
    napi_value chunk;
    uint8_t *data;
    if (napi_get_element(env, args[1], i, &chunk) != napi_ok ||
        !bytes_argument(env, chunk, "chunk", &data, &parts[i].iov_len))
      return NULL;
    parts[i].iov_base = data;
  }
  ssize_t put;
  do put = writev(fd, parts, (int)count);
  while (put < 0 && errno == EINTR);
  if (put < 0 && errno != EAGAIN) return throw_errno(env, errno, "writev");
  return make_number(env, put < 0 ? 0 : (double)put);
}

/* closeDescriptor(fd). The number is free afterwards whatever the kernel answers, so its answer is not an error. */
static napi_value CloseDescriptor(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (fd_argument(env, args[0], &fd)) close(fd);
  return NULL;
}

/* setNonblocking(fd) */
static napi_value SetNonblocking(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0 || (!(flags & O_NONBLOCK) && fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0))
    return throw_errno(env, errno, "fcntl");
  return NULL;
}

/* pipe() -> [read end, write end], both close-on-exec and blocking: a child inherits one, we make the other non-blocking */
static napi_value Pipe(napi_env env, napi_callback_info info) {
  (void)info;
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return throw_errno(env, errno, "pipe2");
  return make_numbers(env, ends, 2);
}

/* setPipeSize(fd, bytes) -> the size the kernel chose */
static napi_value SetPipeSize(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, size;
  if (!fd_argument(env, args[0], &fd) || !int_argument(env, args[1], "bytes", &size)) return NULL;
  int chosen = fcntl(fd, F_SETPIPE_SZ, size);
  return chosen < 0 ? throw_errno(env, errno, "fcntl") : make_number(env, chosen);
}

bool init_descriptor(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"read", Read}, {"write", Write}, {"writev", Writev}, {"closeDescriptor", CloseDescriptor},
                   {"setNonblocking", SetNonblocking}, {"pipe", Pipe}, {"setPipeSize", SetPipeSize});
}
