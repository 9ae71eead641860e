/*
 * Reads JavaScript values into C ones and throws a TypeError for what does not fit.
 *
 * Nothing here runs JavaScript of the caller: no coercion, no getters on plain values. Array elements are the one
 * exception (an array may have accessors), which is why a pending exception ends the reading.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kata.h"

bool integer_argument(napi_env env, napi_value value, const char *name, double low, double high, double *out) {
  double number;
  if (napi_get_value_double(env, value, &number) == napi_ok && number >= low && number <= high &&
      number == (double)(int64_t)number) {
    *out = number;
    return true;
  }
  char expected[96];
  snprintf(expected, sizeof expected, "an integer from %.0f to %.0f", low, high);
  throw_type_error(env, name, expected);
  return false;
}

bool int_argument(napi_env env, napi_value value, const char *name, int *out) {
  double number;
  if (!integer_argument(env, value, name, INT_MIN, INT_MAX, &number)) return false;
  *out = (int)number;
  return true;
}

bool uint_argument(napi_env env, napi_value value, const char *name, uint32_t *out) {
  double number;
  if (!integer_argument(env, value, name, 0, UINT32_MAX, &number)) return false;
  *out = (uint32_t)number;
  return true;
}

bool fd_argument(napi_env env, napi_value value, int *out) {
  double number;
  if (!integer_argument(env, value, "fd", 0, INT_MAX, &number)) return false;
  *out = (int)number;
  return true;
}

bool bool_argument(napi_env env, napi_value value, const char *name, bool *out) {
  if (napi_get_value_bool(env, value, out) == napi_ok) return true;
  throw_type_error(env, name, "a boolean");
  return false;
}

bool text_argument(napi_env env, napi_value value, const char *name, char **out) {
  size_t length;
  if (napi_get_value_string_utf8(env, value, NULL, 0, &length) != napi_ok) {
    throw_type_error(env, name, "a string");
    return false;
  }
  char *text = malloc(length + 1);
  if (text == NULL) {
    throw_errno(env, ENOMEM, "malloc");
    return false;
  }
  napi_get_value_string_utf8(env, value, text, length + 1, &length);
  if (strlen(text) != length) {
    free(text);
    throw_type_error(env, name, "a string without NUL");
    return false;
  }
  *out = text;
  return true;
}

bool optional_text_argument(napi_env env, napi_value value, const char *name, char **out) {
  napi_valuetype type;
  *out = NULL;
  if (napi_typeof(env, value, &type) != napi_ok) return false;
  if (type == napi_undefined || type == napi_null) return true;
  return text_argument(env, value, name, out);
}

bool bytes_argument(napi_env env, napi_value value, const char *name, uint8_t **data, size_t *length) {
  napi_typedarray_type type;
  void *start;
  /* This call itself refuses what is no typed array. */
  if (napi_get_typedarray_info(env, value, &type, length, &start, NULL, NULL) == napi_ok && type == napi_uint8_array) {
    *data = start;
    return true;
  }
  throw_type_error(env, name, "a Uint8Array");
  return false;
}

static bool array_length(napi_env env, napi_value value, const char *name, size_t limit, uint32_t *count) {
  bool is_array = false;
  if (napi_is_array(env, value, &is_array) != napi_ok || !is_array) {
    throw_type_error(env, name, "an array");
    return false;
  }
  if (napi_get_array_length(env, value, count) != napi_ok) return false;
  if (*count <= limit) return true;
  throw_type_error(env, name, "a shorter array");
  return false;
}

bool ints_argument(napi_env env, napi_value value, const char *name, size_t limit, int **out, size_t *count) {
  uint32_t length;
  if (!array_length(env, value, name, limit, &length)) return false;
  int *numbers = calloc(length + 1, sizeof *numbers);
  if (numbers == NULL) {
    throw_errno(env, ENOMEM, "malloc");
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !int_argument(env, element, name, &numbers[i])) {
      free(numbers);
      return false;
    }
  }
  *out = numbers;
  *count = length;
  return true;
}

bool texts_argument(napi_env env, napi_value value, const char *name, char ***out) {
  uint32_t length;
  if (!array_length(env, value, name, 1 << 20, &length)) return false;
  char **texts = calloc((size_t)length + 1, sizeof *texts);
  if (texts == NULL) {
    throw_errno(env, ENOMEM, "malloc");
    return false;
  }
  for (uint32_t i = 0; i < length; i++) {
    napi_value element;
    if (napi_get_element(env, value, i, &element) != napi_ok || !text_argument(env, element, name, &texts[i])) {
      free_texts(texts);
      return false;
    }
  }
  *out = texts;
  return true;
}

void free_texts(char **texts) {
  if (texts == NULL) return;
  for (char **text = texts; *text != NULL; text++) free(*text);
  free(texts);
}
