/* Prints a line "EVENT NAME" for what inotify tells of a directory: C made, M moved here, D deleted. */
#include <limits.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <unistd.h>

int main(int argc, char **argv) {
  _Alignas(struct inotify_event) char buffer[sizeof(struct inotify_event) + NAME_MAX + 1];
  int fd = inotify_init();
  if (argc != 2 || inotify_add_watch(fd, argv[1], IN_CREATE | IN_MOVED_TO | IN_DELETE) < 0) return 1;
  puts("ready");
  fflush(stdout);
  for (;;) {
    ssize_t length = read(fd, buffer, sizeof buffer);
    if (length <= 0) return 1;
    for (ssize_t at = 0; at < length;) {
      const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
      char what = event->mask & IN_CREATE ? 'C' : event->mask & IN_MOVED_TO ? 'M' : 'D';
      printf("%c %s\n", what, event->name);
      at += (ssize_t)(sizeof *event + event->len);
    }
    fflush(stdout);
  }
}
