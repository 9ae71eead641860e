/* Netlink datagrams and the state of a network interface. */
#include <linux/netlink.h>
#include <net/if.h>
#include <string.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "kata.h"

/* A burst of hotplug events must not overflow the queue before the event loop comes round. */
enum { RECEIVE_BUFFER = 2 * 1024 * 1024 };

/* openNetlink(protocol, groups) -> non-blocking fd */
static napi_value OpenNetlink(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int protocol;
  uint32_t groups;
  if (!int_argument(env, args[0], "protocol", &protocol) || !uint_argument(env, args[1], "groups", &groups)) return NULL;
  int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol);
  if (fd < 0) return throw_errno(env, errno, "socket");
  struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = groups};
  if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
    int error = errno;
    close(fd);
    return throw_errno(env, error, "bind");
  }
  /* Not allowed to everyone; the default size then has to do. */
  int size = RECEIVE_BUFFER;
  setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
  return make_number(env, fd);
}

/*
 * receiveNetlink(fd, into) -> bytes of one datagram of the kernel, -1 when there is none. Other senders are ignored, so
 * many at a time: a container that may send them must not keep the event loop here.
 */
static napi_value ReceiveNetlink(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  uint8_t *data;
  size_t size;
  if (!fd_argument(env, args[0], &fd) || !bytes_argument(env, args[1], "into", &data, &size)) return NULL;
  for (int ignored = 0; ignored < 256; ignored++) {
    struct sockaddr_nl sender = {0};
    socklen_t length = sizeof sender;
    ssize_t got = recvfrom(fd, data, size, 0, (struct sockaddr *)&sender, &length);
    if (got >= 0 && sender.nl_pid == 0) return make_number(env, (double)got);
    if (got < 0 && errno == EAGAIN) return make_number(env, -1);
    if (got < 0 && errno != EINTR) return throw_errno(env, errno, "recvfrom");
  }
  return make_number(env, -1);
}

/* setLinkUp(name) */
static napi_value SetLinkUp(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  char *name;
  if (!text_argument(env, args[0], "name", &name)) return NULL;
  struct ifreq request = {0};
  size_t length = strlen(name);
  memcpy(request.ifr_name, name, length < IFNAMSIZ ? length : IFNAMSIZ - 1);
  free(name);
  if (length == 0 || length >= IFNAMSIZ) return throw_errno(env, ENODEV, "ioctl");
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), error = 0;
  if (fd < 0) return throw_errno(env, errno, "socket");
  if (ioctl(fd, SIOCGIFFLAGS, &request) < 0) error = errno;
  request.ifr_flags |= IFF_UP;
  if (error == 0 && ioctl(fd, SIOCSIFFLAGS, &request) < 0) error = errno;
  close(fd);
  return error ? throw_errno(env, error, "ioctl") : NULL;
}

bool init_network(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"openNetlink", OpenNetlink}, {"receiveNetlink", ReceiveNetlink}, {"setLinkUp", SetLinkUp});
}
