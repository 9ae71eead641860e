import { AgentError } from "../base/agent-error.ts";
import { Code } from "../base/code.ts";
import type { LinuxSeccomp, LinuxSyscall } from "../gen/oci.ts";
import type { OciSeccomp } from "../runtime/oci.ts";
import { list, present } from "./present.ts";

/** The words of the OCI document, `config-linux.md`, "Seccomp"; NOTIFY is left out, since nobody would be notified. */
const actions = words("SCMP_ACT_", "KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG");
const operators = words("SCMP_CMP_", "NE LT LE EQ GE GT MASKED_EQ");
const filterFlags = words("SECCOMP_FILTER_FLAG_", "TSYNC LOG SPEC_ALLOW WAIT_KILLABLE_RECV");
const architectures = words(
  "SCMP_ARCH_",
  "X86 X86_64 X32 ARM AARCH64 MIPS MIPS64 MIPS64N32 MIPSEL MIPSEL64 MIPSEL64N32 PPC PPC64 PPC64LE S390 S390X PARISC " +
    "PARISC64 RISCV64 LOONGARCH64",
);
/** A call takes six arguments. */
const maxArgumentIndex = 5n;

/**
 * The filter as the OCI document has it. Without an errno of its own a refused call fails with EPERM, which is crun's
 * reading of an absent one too (agent-api 3.3.3).
 * @throws INTERNAL for a word that is not one of the document's. Names of system calls are not looked at: profiles
 *   name those of newer kernels, and what this kernel does not have needs no filter.
 */
export function ociSeccomp(seccomp: LinuxSeccomp): OciSeccomp {
  for (const architecture of seccomp.Architectures) check(architectures, architecture, "architecture");
  for (const flag of seccomp.Flags) check(filterFlags, flag, "flag");
  return present<OciSeccomp>({
    defaultAction: check(actions, seccomp.DefaultAction, "action"),
    architectures: list(seccomp.Architectures),
    flags: list(seccomp.Flags),
    syscalls: seccomp.Syscalls.map(ociSyscall),
  });
}

type OciSyscall = NonNullable<OciSeccomp["syscalls"]>[number];

function ociSyscall(call: LinuxSyscall): OciSyscall {
  return present<OciSyscall>({
    names: call.Names,
    action: check(actions, call.Action, "action"),
    errnoRet: call.errnoret,
    args: list(
      call.Args.map(({ Index, Value, ValueTwo, Op }) => {
        if (Index > maxArgumentIndex)
          throw new AgentError(Code.internal, "seccomp argument beyond the sixth");
        return {
          index: Number(Index),
          value: Value,
          valueTwo: ValueTwo,
          op: check(operators, Op, "operator"),
        };
      }),
    ),
  });
}

function words(prefix: string, names: string): ReadonlySet<string> {
  return new Set(names.split(" ").map((name) => `${prefix}${name}`));
}

function check(known: ReadonlySet<string>, word: string, what: string): string {
  if (!known.has(word)) throw new AgentError(Code.internal, `unknown seccomp ${what}`);
  return word;
}
