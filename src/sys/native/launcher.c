/*
 * The executable face of a program that is a bundle run by Node.js: finds the folder that holds Node and the
 * bundle and becomes Node. A static ELF file, because image builders run `strip` on it, because the kernel
 * starts it as PID 1 before /proc is mounted, and because the guest's libraries are Node's business.
 *
 * Compiled once per program:
 *   -DPROGRAM='"kata-agent"'         runs <lib>/kata-agent.cjs with <lib>/node
 *   -DNODE_FLAGS='"--a", "--b",'     flags for Node, may be empty
 *   -DENVIRONMENT='{"A", "b"},'      environment for Node where it has none of that name, may be empty
 *
 * <lib> is the first of these that holds both files: `lib` beside this executable (a build), `../lib/kata-agent-node`
 * from its folder (an installation, wherever it lies), then the fixed places below, for a launcher that was moved away
 * from its folder (to /sbin/init, for one).
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#ifndef NODE_FLAGS
#define NODE_FLAGS
#endif
#ifndef ENVIRONMENT
#define ENVIRONMENT
#endif

static const char *const fixed_places[] = {
    "/usr/lib/kata-agent-node",
    "/usr/local/lib/kata-agent-node",
    "/opt/kata-agent-node/lib",
};
static const char *const node_flags[] = {NODE_FLAGS NULL};
static const char *const environment[][2] = {ENVIRONMENT{NULL, NULL}};

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* The two files of one candidate folder. */
struct place {
  char node[PATH_MAX];
  char bundle[PATH_MAX];
};

/* 1 when both files are there, else 0 with errno set. */
static int look(struct place *place, const char *lib) {
  int node = snprintf(place->node, sizeof place->node, "%s/node", lib);
  int bundle = snprintf(place->bundle, sizeof place->bundle, "%s/%s.cjs", lib, PROGRAM);
  if (node < 0 || bundle < 0 || bundle >= PATH_MAX) {
    errno = ENAMETOOLONG;
    return 0;
  }
  return access(place->node, X_OK) == 0 && access(place->bundle, R_OK) == 0;
}

static const char *const near_places[] = {"lib", "../lib/kata-agent-node"};

/* Looks near `self`, the path of this executable, with links followed so that a link to it works. */
static int look_beside(struct place *place, const char *self) {
  char real[PATH_MAX], lib[PATH_MAX];
  if (!self || !strchr(self, '/') || !realpath(self, real)) return 0;
  const char *folder = dirname(real);
  for (size_t i = 0; i < COUNT(near_places); i++) {
    int length = snprintf(lib, sizeof lib, "%s/%s", folder, near_places[i]);
    if (length > 0 && length < PATH_MAX && look(place, lib)) return 1;
  }
  return 0;
}

static int find(struct place *place, const char *argv0) {
  /* The path that was executed; unlike /proc/self/exe it is there before /proc is. */
  if (look_beside(place, (const char *)getauxval(AT_EXECFN))) return 1;
  if (look_beside(place, argv0)) return 1;
  if (look_beside(place, "/proc/self/exe")) return 1;
  for (size_t i = 0; i < COUNT(fixed_places); i++)
    if (look(place, fixed_places[i])) return 1;
  return 0;
}

static int complain_missing(void) {
  fprintf(stderr, PROGRAM ": neither lib nor ../lib/kata-agent-node beside this executable nor one of");
  for (size_t i = 0; i < COUNT(fixed_places); i++) fprintf(stderr, " %s", fixed_places[i]);
  fprintf(stderr, " holds node and " PROGRAM ".cjs\n");
  return 127;
}

int main(int argc, char **argv) {
  struct place place;
  if (!find(&place, argc > 0 ? argv[0] : NULL)) return complain_missing();

  size_t given = argc > 1 ? (size_t)argc - 1 : 0;
  const char **args = calloc(COUNT(node_flags) + given + 2, sizeof *args);
  if (!args) {
    fprintf(stderr, PROGRAM ": out of memory\n");
    return 127;
  }
  size_t n = 0;
  args[n++] = place.node;
  for (size_t i = 0; node_flags[i]; i++) args[n++] = node_flags[i];
  args[n++] = place.bundle;
  for (size_t i = 0; i < given; i++) args[n++] = argv[i + 1];

  /* One heap for all threads: Node's helpers allocate in bursts, and what each keeps for itself adds up to
   * megabytes. Somebody who sets it knows better. */
  setenv("MALLOC_ARENA_MAX", "1", 0);
  /* A dead share may hold some of libuv's threads for ever; the rest must be able to go on (src/sys/may-hang.ts). */
  setenv("UV_THREADPOOL_SIZE", "16", 0);
  for (size_t i = 0; environment[i][0]; i++) setenv(environment[i][0], environment[i][1], 0);
  execv(place.node, (char *const *)args);
  /* ENOENT for a file that is there means that its dynamic loader is not. */
  fprintf(stderr, PROGRAM ": cannot execute %s: %s%s\n", place.node, strerror(errno),
          errno == ENOENT ? " (is its dynamic loader in this image?)" : "");
  return 126;
}
