/*
 * Namespaces that outlive their maker: bound to a path, they stay until the path is unmounted.
 *
 * A thread that has left its namespaces cannot be given back to anyone, so each one is made by a fresh thread which
 * ends right after. A thread of libuv's pool waits for it, and the event loop for neither.
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "kata.h"

static void *make_namespace(void *data) {
  struct work *work = data;
  const char *type = work->text[0], *path = work->text[1], *hostname = work->text[2];
  char source[64];
  snprintf(source, sizeof source, "/proc/thread-self/ns/%s", type);
  work->syscall = "unshare";
  if (unshare(strcmp(type, "uts") == 0 ? CLONE_NEWUTS : CLONE_NEWIPC) < 0) goto failed;
  work->syscall = "sethostname";
  if (hostname != NULL && sethostname(hostname, strlen(hostname)) < 0) goto failed;
  work->syscall = "mount";
  if (mount(source, path, NULL, MS_BIND, NULL) < 0) goto failed;
  return NULL;
failed:
  work->error = errno;
  return NULL;
}

static void run_thread(struct work *work) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, make_namespace, work);
  if (error == 0) pthread_join(thread, NULL);
  else work->error = error;
}

/* persistNamespace("uts" | "ipc", path, hostname | null) -> promise; precondition: path is an existing file */
static napi_value PersistNamespace(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct work *work = work_new(env, "pthread_create", run_thread);
  if (work == NULL) return NULL;
  if (!text_argument(env, args[0], "type", &work->text[0]) || !text_argument(env, args[1], "path", &work->text[1]) ||
      !optional_text_argument(env, args[2], "hostname", &work->text[2]))
    return work_discard(work);
  bool uts = strcmp(work->text[0], "uts") == 0;
  if ((!uts && strcmp(work->text[0], "ipc") != 0) || (!uts && work->text[2] != NULL)) {
    work_discard(work);
    return throw_type_error(env, "type", uts ? "ipc" : "uts, or ipc without a host name");
  }
  return work_start(env, work);
}

bool init_namespace(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"persistNamespace", PersistNamespace});
}
