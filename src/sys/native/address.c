/* Socket addresses out of the four arguments kind, text, cid and port. Names are resolved before; this takes numbers. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
/* After sys/socket.h: the kernel's header needs its sa_family_t. */
#include <linux/vm_sockets.h>

#include "kata.h"

static bool unix_address(napi_env env, const char *text, bool abstract, struct address *out) {
  struct sockaddr_un *un = (struct sockaddr_un *)&out->storage;
  size_t length = strlen(text), start = abstract ? 1 : 0;
  /* A path keeps its ending NUL; an abstract name is all bytes after the leading NUL, without one at the end. */
  if (length == 0 || length + 1 > sizeof un->sun_path) {
    throw_errno(env, length == 0 ? EINVAL : ENAMETOOLONG, "socket");
    return false;
  }
  un->sun_family = AF_UNIX;
  memcpy(un->sun_path + start, text, length);
  out->length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
  return true;
}

static void vsock_address(uint32_t cid, uint32_t port, struct address *out) {
  struct sockaddr_vm *vm = (struct sockaddr_vm *)&out->storage;
  vm->svm_family = AF_VSOCK;
  vm->svm_cid = cid;
  vm->svm_port = port;
  out->length = sizeof *vm;
}

static bool tcp_address(napi_env env, const char *text, uint32_t port, struct address *out) {
  struct sockaddr_in *in = (struct sockaddr_in *)&out->storage;
  struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&out->storage;
  if (port > UINT16_MAX) {
    throw_type_error(env, "port", "at most 65535");
    return false;
  }
  if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    out->length = sizeof *in;
    return true;
  }
  if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
    in6->sin6_family = AF_INET6;
    in6->sin6_port = htons((uint16_t)port);
    out->length = sizeof *in6;
    return true;
  }
  throw_type_error(env, "text", "an IP address");
  return false;
}

bool address_argument(napi_env env, const napi_value *values, struct address *out) {
  int kind;
  char *text;
  uint32_t cid, port;
  memset(out, 0, sizeof *out);
  if (!int_argument(env, values[0], "kind", &kind) || !uint_argument(env, values[2], "cid", &cid) ||
      !uint_argument(env, values[3], "port", &port) || !text_argument(env, values[1], "text", &text))
    return false;
  bool good = true;
  if (kind == ADDRESS_UNIX || kind == ADDRESS_ABSTRACT) good = unix_address(env, text, kind == ADDRESS_ABSTRACT, out);
  else if (kind == ADDRESS_VSOCK) vsock_address(cid, port, out);
  else if (kind == ADDRESS_TCP) good = tcp_address(env, text, port, out);
  else {
    throw_type_error(env, "kind", "1, 2, 3 or 4");
    good = false;
  }
  free(text);
  return good;
}
