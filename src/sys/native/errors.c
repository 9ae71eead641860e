/* Results and errors on their way to JavaScript. */
#include <stdio.h>
#include <string.h>

#include "kata.h"

napi_value make_number(napi_env env, double value) {
  napi_value made = NULL;
  napi_create_double(env, value, &made);
  return made;
}

napi_value make_text(napi_env env, const char *text) {
  napi_value made = NULL;
  napi_create_string_utf8(env, text, NAPI_AUTO_LENGTH, &made);
  return made;
}

napi_value make_numbers(napi_env env, const int *values, size_t count) {
  napi_value made = NULL;
  if (napi_create_array_with_length(env, count, &made) != napi_ok) return NULL;
  for (size_t i = 0; i < count; i++) napi_set_element(env, made, (uint32_t)i, make_number(env, values[i]));
  return made;
}

napi_value make_errno(napi_env env, int error, const char *syscall) {
  const char *name = strerrorname_np(error);
  const char *description = strerrordesc_np(error);
  char message[256];
  snprintf(message, sizeof message, "%s: %s, %s", name ? name : "EUNKNOWN",
           description ? description : "Unknown error", syscall);
  napi_value code = make_text(env, name ? name : "EUNKNOWN"), made = NULL;
  if (napi_create_error(env, NULL, make_text(env, message), &made) != napi_ok) return NULL;
  napi_set_named_property(env, made, "code", code);
  napi_set_named_property(env, made, "errno", make_number(env, -error));
  napi_set_named_property(env, made, "syscall", make_text(env, syscall));
  return made;
}

napi_value throw_errno(napi_env env, int error, const char *syscall) {
  napi_value made = make_errno(env, error, syscall);
  if (made != NULL) napi_throw(env, made);
  return NULL;
}

napi_value throw_type_error(napi_env env, const char *name, const char *expected) {
  char message[160];
  snprintf(message, sizeof message, "%s must be %s", name, expected);
  napi_throw_type_error(env, "ERR_INVALID_ARG_TYPE", message);
  return NULL;
}
