/*
 * Starts a program.
 *
 * The child is made by clone(CLONE_VM | CLONE_VFORK): it borrows our memory on a stack of its own, and this thread
 * sleeps until it has called execve or ended. No page tables are copied, which matters in a process as large as Node.
 * Between clone and execve the child may only make system calls and must not change memory that anyone reads later,
 * save for `struct plan`, through which it reports what failed.
 *
 * On a busy machine that sleep takes milliseconds, in which the event loop would answer nobody. So there are two ways:
 * `spawn`, and `spawnAside`, which sleeps on a thread of libuv's pool. Only that thread sleeps; the others run on in the
 * same memory, of which the child uses nothing but its plan.
 *
 * All signals stay blocked from before the clone until the child has put every handler back to its default: a handler
 * of Node running in the child would write into Node's own pipes.
 *
 * CLONE_PIDFD gives the pidfd together with the process: there is no moment at which the pid could be somebody else's.
 */
#include <fcntl.h>
#include <linux/close_range.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kata.h"

/*
 * For what runs in the child: it leaves by execve or _exit, never by return, so the marks that an address sanitizer
 * sets around its variables would stay behind on our own stack.
 */
#define IN_CHILD __attribute__((no_sanitize("address")))

enum { STACK_SIZE = 64 * 1024, MAX_FDS = 256, NEW_SESSION = 1, CONTROLLING_TERMINAL = 2 };

struct plan {
  char **candidates; /* paths to try, in order */
  char **argv;
  char **env;
  char *cwd; /* NULL: ours */
  int *fds;  /* fds[i] becomes descriptor i; -1: /dev/null */
  size_t fd_count;
  int flags;
  int error; /* written by the child */
  const char *failed;
  int made[2]; /* pid, pidfd */
};

/* Puts the descriptors in their places. First out of the way of all targets, then down: so no order of numbers can clash. */
IN_CHILD static bool place_descriptors(struct plan *plan, int *moved) {
  int count = (int)plan->fd_count;
  for (int i = 0; i < count; i++) {
    moved[i] = plan->fds[i];
    plan->failed = "open";
    if (moved[i] < 0 && (moved[i] = open("/dev/null", O_RDWR | O_CLOEXEC)) < 0) return false;
    plan->failed = "fcntl";
    if (moved[i] < count && (moved[i] = fcntl(moved[i], F_DUPFD_CLOEXEC, count)) < 0) return false;
  }
  plan->failed = "dup2";
  for (int i = 0; i < count; i++)
    if (dup2(moved[i], i) < 0) return false;
  plan->failed = "close_range";
  return syscall(SYS_close_range, count, ~0u, 0) == 0;
}

IN_CHILD static bool prepare(struct plan *plan) {
  int moved[MAX_FDS];
  plan->failed = "setsid";
  if ((plan->flags & NEW_SESSION) && setsid() < 0) return false;
  if (!place_descriptors(plan, moved)) return false;
  plan->failed = "ioctl";
  if ((plan->flags & CONTROLLING_TERMINAL) && ioctl(0, TIOCSCTTY, 0) < 0) return false;
  plan->failed = "chdir";
  return plan->cwd == NULL || chdir(plan->cwd) == 0;
}

/* By the system call: glibc's own function leaves out the two signals that its threads use, and whoever started us may have ignored those. */
IN_CHILD static void default_signals(void) {
  const unsigned long zeroed[4] = {0}; /* the kernel's struct sigaction: SIG_DFL, no flags, no mask */
  for (int number = 1; number < _NSIG; number++) syscall(SYS_rt_sigaction, number, zeroed, NULL, _NSIG / 8);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Tries each path. What is not there is passed over; of the rest, "may not" is told unless a later one works. */
IN_CHILD static int execute(struct plan *plan) {
  int error = ENOENT;
  for (char **path = plan->candidates; *path != NULL; path++) {
    execve(*path, plan->argv, plan->env);
    if (errno == ENOENT || errno == ENOTDIR) continue;
    error = errno;
    if (errno != EACCES) break;
  }
  return error;
}

IN_CHILD static int child(void *data) {
  struct plan *plan = data;
  if (prepare(plan)) {
    default_signals();
    plan->failed = "execve";
    plan->error = execute(plan);
  } else {
    plan->error = errno;
  }
  _exit(127);
}

/* False with plan->error and plan->failed set. */
static bool start(struct plan *plan) {
  char stack[STACK_SIZE] __attribute__((aligned(16)));
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pid_t pid = clone(child, stack + STACK_SIZE, CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD, plan, &plan->made[1]);
  int error = errno;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  if (pid < 0) {
    plan->error = error;
    plan->failed = "clone";
  } else if (plan->error != 0) {
    /* It has ended already: nobody else shall see this zombie. */
    while (waitpid(pid, NULL, __WALL) < 0 && errno == EINTR) continue;
    close(plan->made[1]);
    pid = -1;
  }
  plan->made[0] = pid;
  return pid >= 0;
}

static bool read_plan(napi_env env, const napi_value *args, struct plan *plan) {
  if (!texts_argument(env, args[0], "candidates", &plan->candidates) ||
      !texts_argument(env, args[1], "argv", &plan->argv) || !texts_argument(env, args[2], "env", &plan->env) ||
      !optional_text_argument(env, args[3], "cwd", &plan->cwd) ||
      !ints_argument(env, args[4], "fds", MAX_FDS, &plan->fds, &plan->fd_count) ||
      !int_argument(env, args[5], "flags", &plan->flags))
    return false;
  if (plan->argv[0] != NULL) return true;
  throw_type_error(env, "argv", "not empty");
  return false;
}

static void free_plan(void *data) {
  struct plan *plan = data;
  free_texts(plan->candidates);
  free_texts(plan->argv);
  free_texts(plan->env);
  free(plan->cwd);
  free(plan->fds);
  free(plan);
}

/* NULL after it threw. */
static struct plan *new_plan(napi_env env, const napi_value *args) {
  struct plan *plan = calloc(1, sizeof *plan);
  if (plan == NULL) {
    throw_errno(env, ENOMEM, "malloc");
    return NULL;
  }
  if (read_plan(env, args, plan)) return plan;
  free_plan(plan);
  return NULL;
}

/* spawn(candidates, argv, env, cwd | null, fds, flags) -> [pid, pidfd] */
static napi_value Spawn(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  struct plan *plan = new_plan(env, args);
  if (plan == NULL) return NULL;
  napi_value result =
      start(plan) ? make_numbers(env, plan->made, 2) : throw_errno(env, plan->error, plan->failed);
  free_plan(plan);
  return result;
}

static void run_spawn(struct work *work) {
  struct plan *plan = work->data;
  if (start(plan)) return;
  work->error = plan->error;
  work->syscall = plan->failed;
}

static napi_value answer_spawn(napi_env env, const struct work *work) {
  return make_numbers(env, ((const struct plan *)work->data)->made, 2);
}

/* spawnAside(candidates, argv, env, cwd | null, fds, flags) -> promise of [pid, pidfd] */
static napi_value SpawnAside(napi_env env, napi_callback_info info) {
  ARGUMENTS(6);
  struct work *work = work_new(env, "clone", run_spawn);
  if (work == NULL) return NULL;
  work->data = new_plan(env, args);
  if (work->data == NULL) return work_discard(work);
  work->release = free_plan;
  work->answer = answer_spawn;
  return work_start(env, work);
}

bool init_spawn(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"spawn", Spawn}, {"spawnAside", SpawnAside});
}
