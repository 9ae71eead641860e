/*
 * Readiness of a descriptor, told by libuv's poll to one JavaScript function.
 *
 * A watch is persistent and level triggered: it costs system calls when the set of wanted events changes, none per
 * event. Its memory belongs to libuv from uv_poll_init on and is freed in the close callback, which runs after any
 * callback in progress; so a watch may be closed from within its own callback. The JavaScript object points to the
 * watch only until it is closed.
 *
 * EPOLLERR: libuv stops the poll and reports EBADF. For us that means "look", because the next read or write on the
 * descriptor tells what is wrong; the poll is started again if the owner still wants events after that.
 */
#include <stdlib.h>
#include <uv.h>

#include "kata.h"

struct watch {
  uv_poll_t poll;
  napi_env env;
  napi_ref callback;
  int wanted;
  bool running;
  bool closed;
};

static const napi_type_tag watch_tag = {0x6b617461776174ull, 0x7761746368303031ull};

static void on_closed(uv_handle_t *handle) { free(handle->data); }

static void close_watch(struct watch *watch) {
  if (watch->closed) return;
  watch->closed = true;
  napi_delete_reference(watch->env, watch->callback);
  uv_close((uv_handle_t *)&watch->poll, on_closed);
}

/* Runs when the environment ends with the watch still open. */
static void finalize(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  close_watch(data);
}

static void on_ready(uv_poll_t *poll, int status, int events);

static int apply(struct watch *watch) {
  int error = watch->wanted ? uv_poll_start(&watch->poll, watch->wanted, on_ready) : uv_poll_stop(&watch->poll);
  if (error < 0) watch->wanted = 0;
  watch->running = watch->wanted != 0;
  return error;
}

static void call(struct watch *watch, int events) {
  napi_env env = watch->env;
  napi_handle_scope scope;
  napi_value receiver, callback, argument, thrown;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  if (napi_get_global(env, &receiver) == napi_ok &&
      napi_get_reference_value(env, watch->callback, &callback) == napi_ok &&
      napi_create_int32(env, events, &argument) == napi_ok &&
      napi_make_callback(env, NULL, receiver, callback, 1, &argument, NULL) == napi_pending_exception &&
      napi_get_and_clear_last_exception(env, &thrown) == napi_ok)
    napi_fatal_exception(env, thrown);
  napi_close_handle_scope(env, scope);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  struct watch *watch = poll->data;
  if (status < 0) {
    watch->running = false;
    events = UV_READABLE | UV_WRITABLE;
  }
  call(watch, events);
  if (!watch->closed && !watch->running && watch->wanted != 0) apply(watch);
}

/* openWatch(fd, callback) -> watch; callback(events): 1 = readable, 2 = writable. It wants nothing yet. */
static napi_value OpenWatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  int fd;
  napi_valuetype type;
  uv_loop_t *loop;
  napi_value made;
  if (!fd_argument(env, args[0], &fd)) return NULL;
  if (napi_typeof(env, args[1], &type) != napi_ok || type != napi_function)
    return throw_type_error(env, "callback", "a function");
  if (napi_get_uv_event_loop(env, &loop) != napi_ok || napi_create_object(env, &made) != napi_ok) return NULL;
  struct watch *watch = calloc(1, sizeof *watch);
  if (watch == NULL) return throw_errno(env, ENOMEM, "malloc");
  int error = uv_poll_init(loop, &watch->poll, fd);
  if (error < 0) {
    free(watch);
    return throw_errno(env, -error, "poll");
  }
  watch->poll.data = watch;
  watch->env = env;
  napi_create_reference(env, args[1], 1, &watch->callback);
  if (napi_type_tag_object(env, made, &watch_tag) != napi_ok ||
      napi_wrap(env, made, watch, finalize, NULL, NULL) != napi_ok) {
    close_watch(watch);
    return NULL;
  }
  return made;
}

static bool watch_argument(napi_env env, napi_value value, struct watch **out) {
  bool ours = false;
  if (napi_check_object_type_tag(env, value, &watch_tag, &ours) != napi_ok || !ours) {
    throw_type_error(env, "watch", "a watch");
    return false;
  }
  if (napi_unwrap(env, value, (void **)out) == napi_ok) return true;
  throw_errno(env, EBADF, "poll");
  return false;
}

/* setWatch(watch, events) */
static napi_value SetWatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(2);
  struct watch *watch;
  int events;
  if (!watch_argument(env, args[0], &watch) || !int_argument(env, args[1], "events", &events)) return NULL;
  if (events & ~(UV_READABLE | UV_WRITABLE)) return throw_type_error(env, "events", "a sum of 1 and 2");
  if (watch->wanted == events && (watch->running || events == 0)) return NULL;
  watch->wanted = events;
  int error = apply(watch);
  return error < 0 ? throw_errno(env, -error, "poll") : NULL;
}

/* closeWatch(watch): to be called before the descriptor is closed. */
static napi_value CloseWatch(napi_env env, napi_callback_info info) {
  ARGUMENTS(1);
  struct watch *watch;
  if (!watch_argument(env, args[0], &watch)) return NULL;
  napi_remove_wrap(env, args[0], NULL);
  close_watch(watch);
  return NULL;
}

bool init_watch(napi_env env, napi_value exports) {
  EXPORT_FUNCTIONS({"openWatch", OpenWatch}, {"setWatch", SetWatch}, {"closeWatch", CloseWatch});
}
