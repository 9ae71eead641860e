/*
 * Passing descriptors over a unix socket (SCM_RIGHTS). Received ones are close-on-exec. What does not fit is refused as
 * a whole: a message cut short has already cost its sender some of the descriptors, so none of them is of use.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kata.h"

enum { MAX_FDS = 16 };

union control {
  struct cmsghdr aligned;
  char bytes[CMSG_SPACE(MAX_FDS * sizeof(int))];
};

/* sendDescriptors(fd, bytes, fds) -> bytes sent, 0 when it would block. At least one byte must go along. */
static napi_value SendDescriptors(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  int fd, *fds;
  uint8_t *data;
  size_t size, count;
  if (!fd_argument(env, args[0], &fd) || !bytes_argument(env, args[1], "bytes", &data, &size)) return NULL;
  if (size == 0) return throw_type_error(env, "bytes", "not empty");
  if (!ints_argument(env, args[2], "fds", MAX_FDS, &fds, &count)) return NULL;
  union control control = {0};
  struct iovec part = {.iov_base = data, .iov_len = size};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = control.bytes;
    message.msg_controllen = CMSG_SPACE(count * sizeof(int));
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
  }
  free(fds);
  ssize_t put;
  do put = sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  while (put < 0 && errno == EINTR);
  if (put < 0 && errno != EAGAIN) return throw_errno(env, errno, "sendmsg");
  return make_number(env, put < 0 ? 0 : (double)put);
}

static size_t take_descriptors(struct msghdr *message, int *fds) {
  size_t count = 0;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(message); header != NULL; header = CMSG_NXTHDR(message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t here = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    memcpy(fds + count, CMSG_DATA(header), here * sizeof(int));
    count += here;
  }
  return count;
}

/* receiveDescriptors(fd, into) -> [bytes read, ...fds], 0 bytes at the end; null when it would block */
static napi_value ReceiveDescriptors(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, result[1 + MAX_FDS];
  uint8_t *data;
  size_t size;
  if (!fd_argument(env, args[0], &fd) || !bytes_argument(env, args[1], "into", &data, &size)) return NULL;
  union control control = {0};
  struct iovec part = {.iov_base = data, .iov_len = size};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = sizeof control.bytes};
  ssize_t got;
  do got = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) {
    napi_value none = NULL;
    napi_get_null(env, &none);
    return none;
  }
  if (got < 0) return throw_errno(env, errno, "recvmsg");
  result[0] = (int)got;
  size_t count = take_descriptors(&message, result + 1);
  if (message.msg_flags & MSG_CTRUNC) {
    for (size_t i = 0; i < count; i++) close(result[1 + i]);
    return throw_errno(env, EMSGSIZE, "recvmsg");
  }
  return make_numbers(env, result, 1 + count);
}

bool init_pass(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"sendDescriptors", SendDescriptors}, {"receiveDescriptors", ReceiveDescriptors});
}
