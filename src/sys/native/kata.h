/*
 * What every file of the addon shares: reading arguments, reporting errors, and work off the event loop.
 *
 * Conventions
 *   - A function that returns bool has thrown a JavaScript error when it returns false.
 *   - A JavaScript-callable function returns NULL after it threw, or when its result is undefined.
 *   - Arguments are checked before anything happens: a wrong one is a TypeError, never a crash.
 *   - A failed system call is an Error with `code` ("ENOENT"), `errno` (negative, as Node has it) and `syscall`.
 *   - The addon keeps no global state, so that it may be loaded by several threads of one process.
 */
#ifndef KATA_H
#define KATA_H

/* N-API version 8 and _GNU_SOURCE are set by scripts/build-native.ts. */

#include <errno.h>
#include <node_api.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* ---- arguments (arguments.c) ---- */

/* Reads exactly `count` arguments; missing ones are undefined. */
#define ARGUMENTS(count)                                                                                     \
  napi_value args[count];                                                                                    \
  do {                                                                                                       \
    size_t given = (count);                                                                                  \
    if (napi_get_cb_info(env, info, &given, args, NULL, NULL) != napi_ok) return NULL;                       \
  } while (0)

/* Each takes the name of the argument for the message of the TypeError. */
bool integer_argument(napi_env env, napi_value value, const char *name, double low, double high, double *out);
bool int_argument(napi_env env, napi_value value, const char *name, int *out);
bool uint_argument(napi_env env, napi_value value, const char *name, uint32_t *out);
/* A descriptor number: 0 or more. */
bool fd_argument(napi_env env, napi_value value, int *out);
bool bool_argument(napi_env env, napi_value value, const char *name, bool *out);
/* A string without NUL, as UTF-8; the caller frees it. */
bool text_argument(napi_env env, napi_value value, const char *name, char **out);
/* The same, or NULL for null and undefined. */
bool optional_text_argument(napi_env env, napi_value value, const char *name, char **out);
/* A Uint8Array (a Buffer is one); the bytes stay those of the caller. */
bool bytes_argument(napi_env env, napi_value value, const char *name, uint8_t **data, size_t *length);
/* An array of integers that fit an int; the caller frees `*out`. At most `limit` items. */
bool ints_argument(napi_env env, napi_value value, const char *name, size_t limit, int **out, size_t *count);
/* An array of strings, ended by NULL as execve wants it; the caller frees it with free_texts. */
bool texts_argument(napi_env env, napi_value value, const char *name, char ***out);
void free_texts(char **texts);

/* ---- results and errors (errors.c) ---- */

napi_value make_number(napi_env env, double value);
napi_value make_text(napi_env env, const char *text);
/* An array of `count` numbers. */
napi_value make_numbers(napi_env env, const int *values, size_t count);
/* The Error for a failed system call, not thrown. */
napi_value make_errno(napi_env env, int error, const char *syscall);
/* Throws it; always returns NULL, so that `return throw_errno(...)` reads well. */
napi_value throw_errno(napi_env env, int error, const char *syscall);
napi_value throw_type_error(napi_env env, const char *name, const char *expected);

/* ---- work that may block (work.c) ---- */

/*
 * One call on a thread of libuv's pool, answered by a promise. `execute` runs off the main thread and must not
 * touch JavaScript; it sets `error` (errno, 0 = success), `syscall` if another one failed, and the result. The texts
 * are freed afterwards, and `data` by `release`. `answer` makes the result; NULL: it is the number `result`.
 */
struct work {
  napi_async_work handle;
  napi_deferred deferred;
  void (*execute)(struct work *work);
  const char *syscall;
  char *text[4];
  double number[4];
  double result;
  int error;
  void *data;
  void (*release)(void *data);
  napi_value (*answer)(napi_env env, const struct work *work);
};

/* Allocates a zeroed piece of work; throws and returns NULL when there is no memory. */
struct work *work_new(napi_env env, const char *syscall, void (*execute)(struct work *work));
/* Frees work that was never started, as when an argument turned out to be wrong. Returns NULL. */
napi_value work_discard(struct work *work);
/* Starts it and gives the promise of `result`. The work frees itself. */
napi_value work_start(napi_env env, struct work *work);

/* ---- socket addresses (address.c) ---- */

/* Kinds of address, the numbers are those of kernel-functions.ts. */
enum address_kind { ADDRESS_UNIX = 1, ADDRESS_ABSTRACT = 2, ADDRESS_VSOCK = 3, ADDRESS_TCP = 4 };

struct address {
  union {
    struct sockaddr any;
    struct sockaddr_storage storage;
  };
  socklen_t length;
};

/* Reads the four arguments (kind, text, cid, port) into an address. */
bool address_argument(napi_env env, const napi_value *values, struct address *out);

/* ---- the parts, each adds its functions to the exports ---- */

struct function {
  const char *name;
  napi_callback call;
};
bool export_functions(napi_env env, napi_value exports, const struct function *functions, size_t count);
#define EXPORT_FUNCTIONS(...)                                                                                \
  const struct function functions[] = {__VA_ARGS__};                                                         \
  return export_functions(env, exports, functions, sizeof functions / sizeof functions[0])

bool init_descriptor(napi_env env, napi_value exports);
bool init_watch(napi_env env, napi_value exports);
bool init_spawn(napi_env env, napi_value exports);
bool init_process(napi_env env, napi_value exports);
bool init_mount(napi_env env, napi_value exports);
bool init_machine(napi_env env, napi_value exports);
bool init_terminal(napi_env env, napi_value exports);
bool init_network(napi_env env, napi_value exports);
bool init_file(napi_env env, napi_value exports);
bool init_socket(napi_env env, napi_value exports);
bool init_pass(napi_env env, napi_value exports);
bool init_namespace(napi_env env, napi_value exports);
bool init_tree(napi_env env, napi_value exports);

#endif
