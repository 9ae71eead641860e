/* openat2: opens a path that somebody else chose without leaving a given directory. */
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

bool init_file(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"openAt", OpenAt}, {"readWithin", ReadWithin});
}
