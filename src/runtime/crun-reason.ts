/**
 * Why crun failed, in words that are ours. Its complaint names files and arguments of the request, which a span must not hold, so
 * it is only looked at: for what it was busy with, and for the text of an errno at its end.
 */
const subjects: readonly (readonly [word: string, form: RegExp])[] = [
  ["program-not-found", /^executable file `.*` not found/s],
  ["mount", /\bmount|\bpivot_root/],
  ["cgroup", /cgroup|cpuset|memory\.|pids\./],
  ["hook", /\bhook/],
  ["seccomp", /seccomp/],
  ["namespace", /namespace|setns|unshare|clone/],
  ["user", /\buser\b|setuid|setgid|setgroups|uid|gid/],
  ["rlimit", /rlimit/],
  ["state", /container .*(?:exist|running|stopped|state)/s],
  ["exec", /\bexec/],
];

const ends: readonly (readonly [errno: string, text: string])[] = [
  ["ENOENT", "No such file or directory"],
  ["EACCES", "Permission denied"],
  ["EPERM", "Operation not permitted"],
  ["EINVAL", "Invalid argument"],
  ["EBUSY", "Device or resource busy"],
  ["EEXIST", "File exists"],
  ["ENOTDIR", "Not a directory"],
  ["EISDIR", "Is a directory"],
  ["ENOEXEC", "Exec format error"],
  ["ENOSPC", "No space left on device"],
  ["ENOMEM", "Cannot allocate memory"],
  ["EROFS", "Read-only file system"],
  ["ENODEV", "No such device"],
  ["ESRCH", "No such process"],
  ["ELOOP", "Too many levels of symbolic links"],
];

/** `mount`, `mount ENOENT`, `program-not-found`, `other`; `silent` when crun said nothing. */
export function crunReason(complaint: string | undefined): string {
  if (complaint === undefined) return "silent";
  const [word] = subjects.find(([, form]) => form.test(complaint)) ?? ["other"];
  const [errno] = ends.find(([, text]) => complaint.endsWith(text)) ?? [];
  return errno === undefined ? word : `${word} ${errno}`;
}
