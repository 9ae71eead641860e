/* openat2: opens paths that somebody else chose, or looks at them, without leaving a given directory. */
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kata.h"

static void run_open(struct work *work) {
  struct open_how how = {.flags = (uint64_t)work->number[1],
                         .mode = (uint64_t)work->number[2],
                         .resolve = (uint64_t)work->number[3]};
  long fd = syscall(SYS_openat2, (int)work->number[0], work->text[0], &how, sizeof how);
  if (fd < 0) work->error = errno;
  work->result = (double)fd;
}

/* openAt(directory fd, path, flags, mode, resolve) -> promise of an fd; the path may lie on a dead share */
static napi_value OpenAt(napi_env env, napi_callback_info info) {
  ARGUMENTS(5);
  struct work *work = work_new(env, "openat2", run_open);
  if (work == NULL) return NULL;
  if (!integer_argument(env, args[0], "directory", 0, INT32_MAX, &work->number[0]) ||
      !text_argument(env, args[1], "path", &work->text[0]) ||
      !integer_argument(env, args[2], "flags", 0, INT32_MAX, &work->number[1]) ||
      !integer_argument(env, args[3], "mode", 0, 07777, &work->number[2]) ||
      !integer_argument(env, args[4], "resolve", 0, UINT32_MAX, &work->number[3]))
    return work_discard(work);
  return work_start(env, work);
}

/* What readWithin has read. */
struct contents {
  size_t length;
  uint8_t bytes[];
};

/* Reads a regular file from its beginning, up to `most` bytes. Returns 0 or an errno. */
static int read_regular(int fd, size_t most, struct contents **out) {
  struct stat found;
  if (fstat(fd, &found) < 0) return errno;
  if (!S_ISREG(found.st_mode)) return EINVAL;
  size_t length = (uint64_t)found.st_size < most ? (size_t)found.st_size : most;
  struct contents *contents = malloc(sizeof *contents + length);
  if (contents == NULL) return ENOMEM;
  *out = contents;
  ssize_t got = pread(fd, contents->bytes, length, 0);
  if (got < 0) return errno;
  contents->length = (size_t)got;
  return 0;
}

static void run_read(struct work *work) {
  int root = open(work->text[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    work->error = errno;
    return;
  }
  struct open_how how = {.flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC,
                         .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
  long fd = syscall(SYS_openat2, root, work->text[1], &how, sizeof how);
  work->error = fd < 0 ? errno : read_regular((int)fd, (size_t)work->number[0], (struct contents **)&work->data);
  if (fd >= 0) close((int)fd);
  close(root);
}

static napi_value answer_read(napi_env env, const struct work *work) {
  const struct contents *contents = work->data;
  napi_value bytes = NULL;
  napi_create_buffer_copy(env, contents->length, contents->bytes, NULL, &bytes);
  return bytes;
}

/* readWithin(root, path, most) -> promise of the bytes of a regular file; root and all links may be on a dead share */
static napi_value ReadWithin(napi_env env, napi_callback_info info) {
  ARGUMENTS(3);
  struct work *work = work_new(env, "openat2", run_read);
  if (work == NULL) return NULL;
  work->release = free;
  work->answer = answer_read;
  if (!text_argument(env, args[0], "root", &work->text[0]) ||
      !text_argument(env, args[1], "path", &work->text[1]) ||
      !integer_argument(env, args[2], "most", 0, INT32_MAX, &work->number[0]))
    return work_discard(work);
  return work_start(env, work);
}

enum { MISSING = 0, UNCLEAR = -1 };

/* The paths to look at, and what was found at each. */
struct looks {
  char **paths;
  size_t count;
  int *found;
};

static void free_looks(void *data) {
  struct looks *looks = data;
  if (looks == NULL) return;
  free_texts(looks->paths);
  free(looks->found);
  free(looks);
}

static int look_at(int root, const char *path) {
  struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
  while (*path == '/') path++;
  long fd = syscall(SYS_openat2, root, *path == '\0' ? "." : path, &how, sizeof how);
  if (fd < 0) return errno == ENOENT ? MISSING : UNCLEAR;
  struct stat status;
  int found = fstat((int)fd, &status) < 0 ? UNCLEAR : (int)(status.st_mode & S_IFMT);
  close((int)fd);
  return found;
}

static void run_look(struct work *work) {
  struct looks *looks = work->data;
  int root = open(work->text[0], O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (root < 0) {
    work->error = errno;
    return;
  }
  for (size_t i = 0; i < looks->count; i++) looks->found[i] = look_at(root, looks->paths[i]);
  close(root);
}

static napi_value answer_look(napi_env env, const struct work *work) {
  const struct looks *looks = work->data;
  return make_numbers(env, looks->found, looks->count);
}

/* NULL after it threw. */
static struct looks *new_looks(napi_env env, napi_value paths) {
  struct looks *looks = calloc(1, sizeof *looks);
  if (looks == NULL) {
    throw_errno(env, ENOMEM, "malloc");
    return NULL;
  }
  if (texts_argument(env, paths, "paths", &looks->paths)) {
    while (looks->paths[looks->count] != NULL) looks->count++;
    looks->found = calloc(looks->count + 1, sizeof *looks->found);
    if (looks->found != NULL) return looks;
    throw_errno(env, ENOMEM, "malloc");
  }
  free_looks(looks);
  return NULL;
}

/*
 * lookWithin(root, paths) -> promise of a number for each: the kind of file (S_IFMT), 0 = nothing there, -1 = there is a
 * link or a climb on the way, or it cannot be told. All of it may be on a dead share.
 */
static napi_value LookWithin(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct work *work = work_new(env, "open", run_look);
  if (work == NULL) return NULL;
  work->release = free_looks;
  work->answer = answer_look;
  if (!text_argument(env, args[0], "root", &work->text[0]) || (work->data = new_looks(env, args[1])) == NULL)
    return work_discard(work);
  return work_start(env, work);
}

bool init_file(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"openAt", OpenAt}, {"readWithin", ReadWithin}, {"lookWithin", LookWithin});
}
