/*
 * Stream sockets of all families, non-blocking and close-on-exec from birth.
 *
 * The seat: Node refuses to make a net.Socket of an AF_VSOCK descriptor, but only when it looks at its family. So Node
 * is given an ordinary unix socket, and before the event loop first sees that number the VSOCK one is put over it.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
/* After sys/socket.h: the kernel's header needs its sa_family_t. */
#include <linux/vm_sockets.h>

#include "kata.h"

enum { STREAM = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK };

static int open_socket(const struct address *address) {
  int fd = socket(address->any.sa_family, STREAM, 0), on = 1;
  if (fd >= 0 && (address->any.sa_family == AF_INET || address->any.sa_family == AF_INET6))
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

static napi_value fail(napi_env env, int fd, const char *syscall) {
  int error = errno;
  if (fd >= 0) close(fd);
  return throw_errno(env, error, syscall);
}

/* listenSocket(kind, text, cid, port, backlog) -> fd */
static napi_value ListenSocket(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct address address;
  int backlog, on = 1;
  if (!address_argument(env, args, &address) || !int_argument(env, args[4], "backlog", &backlog)) return NULL;
  int fd = open_socket(&address);
  if (fd < 0) return fail(env, fd, "socket");
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  /* Before bind, so that the file is never open to others, and without touching the umask of all threads. */
  if (address.any.sa_family == AF_UNIX && fchmod(fd, 0600) < 0) return fail(env, fd, "fchmod");
  if (bind(fd, &address.any, address.length) < 0) return fail(env, fd, "bind");
  if (listen(fd, backlog) < 0) return fail(env, fd, "listen");
  return make_number(env, fd);
}

/* acceptSocket(fd) -> fd of the connection, -1 when none waits. A connection that ended while it waited is passed over. */
static napi_value AcceptSocket(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  int got;
  do got = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  while (got < 0 && (errno == EINTR || errno == ECONNABORTED));
  if (got < 0 && errno != EAGAIN) return throw_errno(env, errno, "accept4");
  return make_number(env, got);
}

static void limit_vsock_connect(int fd, uint32_t timeout_ms) {
  struct timeval timeout = {.tv_sec = timeout_ms / 1000, .tv_usec = (timeout_ms % 1000) * 1000};
  setsockopt(fd, AF_VSOCK, SO_VM_SOCKETS_CONNECT_TIMEOUT, &timeout, sizeof timeout);
}

/* connectSocket(kind, text, cid, port, timeoutMs) -> [fd, 1 when connected, 0 when under way: wait until writable] */
static napi_value ConnectSocket(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct address address;
  uint32_t timeout_ms;
  if (!address_argument(env, args, &address) || !uint_argument(env, args[4], "timeoutMs", &timeout_ms)) return NULL;
  int fd = open_socket(&address);
  if (fd < 0) return fail(env, fd, "socket");
  /* Without it the kernel gives up after 2 s, be our own limit shorter or longer. */
  if (address.any.sa_family == AF_VSOCK && timeout_ms > 0) limit_vsock_connect(fd, timeout_ms);
  int done;
  do done = connect(fd, &address.any, address.length);
  while (done < 0 && errno == EINTR);
  if (done < 0 && errno != EINPROGRESS) return fail(env, fd, "connect");
  return make_numbers(env, (int[]){fd, done == 0}, 2);
}

/* finishConnect(fd): throws what became of a connection that was under way */
static napi_value FinishConnect(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd, error = 0;
  socklen_t length = sizeof error;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &length) < 0) return throw_errno(env, errno, "getsockopt");
  return error ? throw_errno(env, error, "connect") : NULL;
}

/* shutdownSocket(fd, both): closes our half, or both. A peer that is gone already is no error. */
static napi_value ShutdownSocket(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  bool both;
  if (!fd_argument(env, args[0], &fd) || !bool_argument(env, args[1], "both", &both)) return NULL;
  if (shutdown(fd, both ? SHUT_RDWR : SHUT_WR) < 0 && errno != ENOTCONN) return throw_errno(env, errno, "shutdown");
  return NULL;
}

/* peekSocket(fd) -> the next byte, which stays; -1 at the end; -2 when it would block */
static napi_value PeekSocket(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  int fd;
  uint8_t byte;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  ssize_t got;
  do got = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  if (got < 0 && errno == EAGAIN) return make_number(env, -2);
  if (got < 0) return throw_errno(env, errno, "recv");
  return make_number(env, got == 0 ? -1 : byte);
}

static void describe(const struct address *address, char *text, size_t size) {
  char host[INET6_ADDRSTRLEN] = "";
  if (address->any.sa_family == AF_VSOCK) {
    const struct sockaddr_vm *vm = (const struct sockaddr_vm *)&address->storage;
    snprintf(text, size, "vsock:%u:%u", vm->svm_cid, vm->svm_port);
  } else if (address->any.sa_family == AF_INET) {
    const struct sockaddr_in *in = (const struct sockaddr_in *)&address->storage;
    inet_ntop(AF_INET, &in->sin_addr, host, sizeof host);
    snprintf(text, size, "tcp:%s:%u", host, ntohs(in->sin_port));
  } else if (address->any.sa_family == AF_INET6) {
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&address->storage;
    inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host);
    snprintf(text, size, "tcp:[%s]:%u", host, ntohs(in6->sin6_port));
  } else {
    snprintf(text, size, "unix");
  }
}

/* socketName(fd, peer) -> "unix", "vsock:2:1234", "tcp:127.0.0.1:80"; the other end, or our own */
static napi_value SocketName(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  bool peer;
  char text[INET6_ADDRSTRLEN + 32];
  struct address address = {.length = sizeof address.storage};
  if (!fd_argument(env, args[0], &fd) || !bool_argument(env, args[1], "peer", &peer)) return NULL;
  if ((peer ? getpeername(fd, &address.any, &address.length) : getsockname(fd, &address.any, &address.length)) < 0)
    return throw_errno(env, errno, peer ? "getpeername" : "getsockname");
  describe(&address, text, sizeof text);
  return make_text(env, text);
}

/* openSeat() -> fd of an unconnected unix socket */
static napi_value OpenSeat(napi_env env, napi_callback_info info) {
  (void)info;
  int fd = socket(AF_UNIX, STREAM, 0);
  return fd < 0 ? throw_errno(env, errno, "socket") : make_number(env, fd);
}

/* takeSeat(fd, seat): puts fd in the place of seat. fd is closed in every case. */
static napi_value TakeSeat(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd, seat;
  if (!fd_argument(env, args[0], &fd) || !fd_argument(env, args[1], &seat)) return NULL;
  int error = dup3(fd, seat, O_CLOEXEC) < 0 ? errno : 0;
  close(fd);
  return error ? throw_errno(env, error, "dup3") : NULL;
}

bool init_socket(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"listenSocket", ListenSocket}, {"acceptSocket", AcceptSocket}, {"connectSocket", ConnectSocket},
                   {"finishConnect", FinishConnect}, {"shutdownSocket", ShutdownSocket}, {"peekSocket", PeekSocket},
                   {"socketName", SocketName}, {"openSeat", OpenSeat}, {"takeSeat", TakeSeat});
}
