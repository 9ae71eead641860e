/*
 * Mounts that pass from one mount namespace to another: copied as a tree in the one, attached in the other.
 *
 * Only a thread that is in a mount namespace can copy from it or attach in it, and none comes back from there. So each
 * step is made by a fresh thread that ends right after; a thread of libuv's pool waits for it, the event loop for none.
 * The root of the thread is then that of the namespace, the container's own, and links in a path lead within it. What
 * the kernel calls magic links (/proc/<pid>/root and the like) could lead out of it and are refused.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kata.h"

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif

/* Opens a path as a place in the root of this thread; -1 with errno. */
static int open_place(const char *path, int flags) {
  struct open_how how = {.flags = (uint64_t)(O_PATH | O_CLOEXEC | flags), .resolve = RESOLVE_NO_MAGICLINKS};
  return (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static bool enter(struct work *work) {
  /* A thread shares its root and working directory with the others until it asks not to. */
  work->syscall = "unshare";
  if (unshare(CLONE_FS) < 0) return false;
  work->syscall = "setns";
  return setns((int)work->number[0], CLONE_NEWNS) == 0;
}

static void *copy_tree(void *data) {
  struct work *work = data;
  int place = -1, tree = -1;
  if (!enter(work)) goto failed;
  work->syscall = "openat2";
  if ((place = open_place(work->text[0], 0)) < 0) goto failed;
  work->syscall = "open_tree";
  tree = (int)syscall(SYS_open_tree, place, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
  if (tree < 0) goto failed;
  close(place);
  work->result = tree;
  return NULL;
failed:
  work->error = errno;
  if (place >= 0) close(place);
  return NULL;
}

/* Opens a folder, made with all above it where it is not there yet. `path` is absolute, and written to on the way. */
static int open_made(char *path) {
  for (char *end = path + 1;; end++) {
    if (*end != '/' && *end != '\0') continue;
    char kept = *end;
    *end = '\0';
    /* Made in the folder above as it was resolved; a link at the end is left for the open to follow. */
    char *name = strrchr(path, '/');
    *name = '\0';
    int above = open_place(*path == '\0' ? "/" : path, O_DIRECTORY);
    *name = '/';
    if (above < 0) return -1;
    int made = name[1] == '\0' ? 0 : mkdirat(above, name + 1, 0755);
    int error = errno;
    close(above);
    if (made < 0 && error != EEXIST) {
      errno = error;
      return -1;
    }
    *end = kept;
    if (kept == '\0') return open_place(path, O_DIRECTORY);
  }
}

static void *attach_tree(void *data) {
  struct work *work = data;
  int place = -1;
  if (!enter(work)) goto failed;
  work->syscall = "mkdirat";
  if ((place = open_made(work->text[0])) < 0) goto failed;
  work->syscall = "move_mount";
  if (syscall(SYS_move_mount, (int)work->number[1], "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
    goto failed;
  close(place);
  return NULL;
failed:
  work->error = errno;
  if (place >= 0) close(place);
  return NULL;
}

static void run_thread(struct work *work, void *(*step)(void *)) {
  pthread_t thread;
  int error = pthread_create(&thread, NULL, step, work);
  if (error == 0) pthread_join(thread, NULL);
  else work->error = error;
}

static void run_copy(struct work *work) { run_thread(work, copy_tree); }
static void run_attach(struct work *work) { run_thread(work, attach_tree); }

/* copyTree(mount namespace fd, path) -> promise of the fd of a copy of what is mounted there, with all below it */
static napi_value CopyTree(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct work *work = work_new(env, "pthread_create", run_copy);
  if (work == NULL) return NULL;
  if (!integer_argument(env, args[0], "namespace", 0, INT32_MAX, &work->number[0]) ||
      !text_argument(env, args[1], "path", &work->text[0]))
    return work_discard(work);
  return work_start(env, work);
}

/* attachTree(mount namespace fd, tree fd, absolute path) -> promise; the folder is made when it is not there */
static napi_value AttachTree(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct work *work = work_new(env, "pthread_create", run_attach);
  if (work == NULL) return NULL;
  if (!integer_argument(env, args[0], "namespace", 0, INT32_MAX, &work->number[0]) ||
      !integer_argument(env, args[1], "tree", 0, INT32_MAX, &work->number[1]) ||
      !text_argument(env, args[2], "path", &work->text[0]))
    return work_discard(work);
  if (work->text[0][0] != '/') {
    work_discard(work);
    return throw_type_error(env, "path", "an absolute path");
  }
  return work_start(env, work);
}

bool init_tree(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"copyTree", CopyTree}, {"attachTree", AttachTree});
}
