/*
 * Calls that may block for long (a mount of a dead share, a sync of a slow disk) on a thread of libuv's pool.
 *
 * A piece of work belongs to itself: made by work_new, filled with arguments, then either discarded or started.
 * Once started it lives until its completion callback has settled the promise.
 */
#include <stdlib.h>

#include "kata.h"

struct work *work_new(napi_env env, const char *syscall, void (*execute)(struct work *work)) {
  struct work *work = calloc(1, sizeof *work);
  if (work == NULL) {
    throw_errno(env, ENOMEM, "malloc");
    return NULL;
  }
  work->syscall = syscall;
  work->execute = execute;
  return work;
}

napi_value work_discard(struct work *work) {
  for (size_t i = 0; i < sizeof work->text / sizeof work->text[0]; i++) free(work->text[i]);
  if (work->release != NULL) work->release(work->data);
  free(work);
  return NULL;
}

static napi_value answer(napi_env env, const struct work *work) {
  return work->answer != NULL ? work->answer(env, work) : make_number(env, work->result);
}

static void run(napi_env env, void *data) {
  (void)env;
  struct work *work = data;
  work->execute(work);
}

static void settle(napi_env env, napi_status status, void *data) {
  struct work *work = data;
  int error = status == napi_cancelled ? ECANCELED : work->error;
  if (error == 0) napi_resolve_deferred(env, work->deferred, answer(env, work));
  else napi_reject_deferred(env, work->deferred, make_errno(env, error, work->syscall));
  napi_delete_async_work(env, work->handle);
  work_discard(work);
}

napi_value work_start(napi_env env, struct work *work) {
  napi_value promise = NULL;
  if (napi_create_promise(env, &work->deferred, &promise) != napi_ok) return work_discard(work);
  if (napi_create_async_work(env, NULL, make_text(env, work->syscall), run, settle, work, &work->handle) != napi_ok ||
      napi_queue_async_work(env, work->handle) != napi_ok) {
    napi_reject_deferred(env, work->deferred, make_errno(env, EAGAIN, work->syscall));
    work_discard(work);
  }
  return promise;
}
