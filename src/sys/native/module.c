/*
 * The addon's entry: gathers the functions of all parts into one exports object.
 * The TypeScript side of it is src/sys/kernel.ts, the only file that loads it.
 */
#include "kata.h"

bool export_functions(napi_env env, napi_value exports, const struct function *functions, size_t count) {
  for (size_t i = 0; i < count; i++) {
    napi_value made;
    if (napi_create_function(env, functions[i].name, NAPI_AUTO_LENGTH, functions[i].call, NULL, &made) != napi_ok)
      return false;
    if (napi_set_named_property(env, exports, functions[i].name, made) != napi_ok) return false;
  }
  return true;
}

NAPI_MODULE_INIT() {
  bool (*const parts[])(napi_env, napi_value) = {
      init_descriptor, init_watch,   init_spawn, init_process, init_mount, init_machine,
      init_terminal,   init_network, init_file,  init_socket,  init_pass,  init_namespace, init_tree,
  };
  for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
    if (!parts[i](env, exports)) return NULL;
  return exports;
}
