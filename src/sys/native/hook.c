/*
 * Runs one hook of a container and reports how it ended, for whoever started us to read: crun, in the middle of a
 * create, ends the create when a hook fails, and a hook of a Kata guest never fails anything (agent-api 3.3.6). So we
 * always succeed. A static executable, because it also runs where the guest's libraries may not be seen.
 *
 *   kata-hook REPORT SECONDS ENTRIES [ENV…] PATH [ARGV…]
 *
 * ENTRIES is how many environment entries follow; the hook gets these and no others. Its stdin is ours, its outputs are
 * kept as far as their last bytes go. After SECONDS it and all that it started in its session get SIGKILL.
 *
 * The report: one line `exited CODE`, `signaled NUMBER`, `timeout` or `failed ERRNO`, with ` @ FROM TO` behind it (microseconds
 * of the monotonic clock), then the last of stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* What is kept of stderr; who reads it wants the last line. */
enum { KEPT = 2048 };
/* A drain takes more than any pipe holds, and ends all the same when the other side never stops. */
enum { READS = 1024 };

struct tail {
  char bytes[2 * KEPT];
  size_t length;
};

static void keep(struct tail *tail, const char *bytes, size_t length) {
  if (length > KEPT) {
    bytes += length - KEPT;
    length = KEPT;
  }
  if (tail->length + length > sizeof tail->bytes) {
    size_t kept = tail->length < KEPT ? tail->length : KEPT;
    memmove(tail->bytes, tail->bytes + tail->length - kept, kept);
    tail->length = kept;
  }
  memcpy(tail->bytes + tail->length, bytes, length);
  tail->length += length;
}

/* Takes what is there, and no more than that: the time of a hook that floods us ends too. 0 when the other side is closed, which is also how a broken pipe is taken. */
static int drain(int fd, struct tail *tail) {
  char buffer[KEPT];
  for (int reads = 0; reads < READS; reads++) {
    ssize_t count = read(fd, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return count < 0 && errno == EAGAIN;
    if (tail) keep(tail, buffer, (size_t)count);
  }
  return 1;
}

static long long now_us(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

static long long now_ms(void) { return now_us() / 1000; }

static void become_hook(const char *path, char **argv, char **env, int out, int errors) {
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  setsid();
  if (dup2(out, STDOUT_FILENO) < 0 || dup2(errors, STDERR_FILENO) < 0) _exit(127);
  /* Ours are close-on-exec; what crun or the agent left open is not the hook's. */
  syscall(SYS_close_range, 3U, ~0U, 0U);
  execve(path, argv, env);
  dprintf(STDERR_FILENO, "cannot run the hook: %s\n", strerror(errno));
  _exit(127);
}

/* Waits for the hook until its time is up, and takes what it prints; 1 when it ended in time. */
static int watch(int pidfd, int out, int errors, struct tail *tail, long long until_ms) {
  struct pollfd fds[] = {{.fd = pidfd, .events = POLLIN}, {.fd = out, .events = POLLIN}, {.fd = errors, .events = POLLIN}};
  for (;;) {
    long long left = until_ms - now_ms();
    if (left <= 0) return 0;
    if (poll(fds, 3, left > 1000000 ? 1000000 : (int)left) < 0 && errno != EINTR) return 0;
    if (fds[1].revents && !drain(out, NULL)) fds[1].fd = -1;
    if (fds[2].revents && !drain(errors, tail)) fds[2].fd = -1;
    if (fds[0].revents) return 1;
  }
}

static void report(int fd, const char *how, int number, long long from_us, const struct tail *tail) {
  if (number < 0) dprintf(fd, "%s", how);
  else dprintf(fd, "%s %d", how, number);
  dprintf(fd, " @ %lld %lld\n", from_us, now_us());
  size_t kept = tail->length < KEPT ? tail->length : KEPT;
  if (write(fd, tail->bytes + tail->length - kept, kept) < 0) return;
}

static void run(int to, long seconds, const char *path, char **argv, char **env) {
  static struct tail tail;
  int out[2], errors[2];
  long long from_us = now_us();
  if (pipe2(out, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(errors, O_CLOEXEC | O_NONBLOCK) < 0) {
    report(to, "failed", errno, from_us, &tail);
    return;
  }
  /* Only our ends are non-blocking: a hook that meets EAGAIN would lose what it says. */
  for (int i = 0; i < 2; i++) fcntl((i ? errors : out)[1], F_SETFL, 0);
  long long until_ms = now_ms() + seconds * 1000LL;
  pid_t pid = fork();
  if (pid == 0) become_hook(path, argv, env, out[1], errors[1]);
  int pidfd = pid < 0 ? -1 : (int)syscall(SYS_pidfd_open, pid, 0U);
  close(out[1]);
  close(errors[1]);
  if (pid < 0 || pidfd < 0) {
    report(to, "failed", errno, from_us, &tail);
    if (pid > 0) kill(pid, SIGKILL);
    return;
  }
  int in_time = watch(pidfd, out[0], errors[0], &tail, until_ms);
  if (!in_time) kill(-pid, SIGKILL);
  if (!in_time) kill(pid, SIGKILL);
  int status = 0;
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) continue;
  drain(errors[0], &tail);
  if (!in_time) report(to, "timeout", -1, from_us, &tail);
  else if (WIFSIGNALED(status)) report(to, "signaled", WTERMSIG(status), from_us, &tail);
  else report(to, "exited", WEXITSTATUS(status), from_us, &tail);
}

/* Whoever started us may still be writing to our stdin, and would take it for a failure that nobody reads it. */
static int succeed(void) {
  char buffer[KEPT];
  while (read(STDIN_FILENO, buffer, sizeof buffer) > 0) continue;
  return 0;
}

int main(int argc, char **argv) {
  if (argc < 5) return succeed();
  int entries = atoi(argv[3]);
  if (entries < 0 || entries > argc - 5) return succeed();
  char **env = calloc((size_t)entries + 1, sizeof *env);
  int to = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (!env || to < 0) return succeed();
  memcpy(env, argv + 4, (size_t)entries * sizeof *env);
  char **rest = argv + 4 + entries;
  char *alone[] = {rest[0], NULL};
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  run(to, atol(argv[2]), rest[0], rest[1] ? rest + 1 : alone, env);
  return succeed();
}
