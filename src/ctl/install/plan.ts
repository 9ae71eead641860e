import { UsageError } from "../usage-error.ts";
import { isTable, valueAt } from "./kata-config.ts";
import type { TomlTable } from "./parse-toml.ts";

/** What the user wants of a configuration. */
export type Wishes = {
  /** The guest's root: one of them, or neither to keep what is there. Paths on the host. */
  readonly initrd: string | undefined;
  readonly image: string | undefined;
  /** File system of the image, where it is not what the configuration says. */
  readonly rootfsType: string | undefined;
  /** How the agent traces; `undefined` leaves it with the runtime, which says `true`. */
  readonly trace: string | undefined;
  /** Words for the guest's kernel. */
  readonly kernelParams: readonly string[];
  /** Where the runtime sends its own spans; `undefined`: it is not traced. */
  readonly jaegerEndpoint: string | undefined;
  /** Which of several hypervisors. */
  readonly hypervisor: string | undefined;
};

/** A key that gets another value; `after` undefined: it is no longer set. */
export type Change = {
  readonly table: string;
  readonly key: string;
  readonly before: unknown;
  readonly after: string | boolean | undefined;
};

/**
 * What has to change in a configuration, of which `config` is what is in force, so that all wishes hold. Both runtimes use
 * the same keys (image-and-runtime 2.1, 2.2). Nothing is planned twice: what holds already is left out.
 * @throws UsageError when it is no configuration of a runtime, or does not tell which hypervisor is meant.
 */
export function planChanges(config: TomlTable, wishes: Wishes): Change[] {
  const vmm = `hypervisor.${hypervisorOf(config, wishes.hypervisor)}`;
  const wanted: [table: string, key: string, after: Change["after"]][] = [
    ...guestRoot(vmm, wishes),
    [vmm, "kernel_params", kernelParams(valueAt(config, `${vmm}.kernel_params`), wishes)],
    ["agent.kata", "enable_tracing", true],
    ...runtimeTracing(wishes),
  ];
  return wanted
    .map(([table, key, after]) => ({ table, key, before: valueAt(config, `${table}.${key}`), after }))
    .filter(({ before, after }) => !isSame(before, after));
}

/** An empty text is how a configuration says that there is none. */
function isSame(before: unknown, after: Change["after"]): boolean {
  return before === after || (isNothing(before) && isNothing(after));
}

const isNothing = (value: unknown): boolean => value === undefined || value === "";

function hypervisorOf(config: TomlTable, given: string | undefined): string {
  const all = valueAt(config, "hypervisor");
  const names = isTable(all) ? Object.keys(all).filter((name) => isTable(all[name])) : [];
  if (names.length === 0)
    throw new UsageError("no table [hypervisor.…] is in it: is it the configuration of a Kata runtime?");
  // runtime-rs says which one it uses.
  const name = given ?? (names.length === 1 ? names[0] : valueAt(config, "runtime.hypervisor_name"));
  if (typeof name === "string" && names.includes(name)) return name;
  throw new UsageError(`it has ${names.join(", ")}: say which by --hypervisor`);
}

/** A runtime refuses to start with an image and an initrd. */
function guestRoot(vmm: string, { initrd, image, rootfsType }: Wishes): [string, string, Change["after"]][] {
  if (initrd !== undefined)
    return [
      [vmm, "image", undefined],
      [vmm, "initrd", initrd],
    ];
  if (image === undefined) return [];
  return [
    [vmm, "initrd", undefined],
    [vmm, "image", image],
    // The hash tree of another image would let no block of this one be read.
    [vmm, "kernel_verity_params", undefined],
    ...(rootfsType === undefined
      ? []
      : [[vmm, "rootfs_type", rootfsType] satisfies [string, string, string]]),
  ];
}

function runtimeTracing({ jaegerEndpoint }: Wishes): [string, string, Change["after"]][] {
  if (jaegerEndpoint === undefined) return [];
  return [
    ["runtime", "enable_tracing", true],
    ["runtime", "jaeger_endpoint", jaegerEndpoint],
  ];
}

/** The words that are there, with ours in the place of those for the same key, new ones behind. */
function kernelParams(before: unknown, { trace, kernelParams }: Wishes): string {
  const wanted = [...(trace === undefined ? [] : [`agent.trace=${trace}`]), ...kernelParams];
  const words = typeof before === "string" ? before.split(/\s+/).filter((word) => word !== "") : [];
  for (const word of wanted) {
    const at = words.findIndex((each) => keyOf(each) === keyOf(word));
    if (at < 0) words.push(word);
    else words[at] = word;
  }
  return wanted.length === 0 && typeof before === "string" ? before : words.join(" ");
}

const keyOf = (word: string): string => word.replace(/=.*$/s, "");
