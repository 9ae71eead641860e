/** What the command line says about the version of control groups (agent-api 1.2 step 4). */
import { bool, oneOf } from "./option-readers.ts";
import type { OptionTable } from "./option-row.ts";

/** Values of the group. */
export type CgroupOptions = Readonly<{
  /** `all`: the kernel keeps its version 1 controllers back. */
  cgroupNoV1: "all" | "";
  /** Undefined: nobody said. */
  unifiedCgroups: boolean | undefined;
}>;

/** The group's rows. Controller names in the first one's value are the kernel's business, not ours. */
export const cgroupOptions: OptionTable<CgroupOptions> = {
  cgroupNoV1: { cmdline: "cgroup_no_v1", read: (value) => oneOf("all")(value) ?? "", fallback: "" },
  unifiedCgroups: {
    cmdline: "systemd.unified_cgroup_hierarchy",
    file: "unified_cgroup_hierarchy",
    read: bool,
    fallback: undefined,
  },
};

/** Whether version 1 is asked for, which is not mounted here whatever the words are. */
export function wantsCgroupV1({ cgroupNoV1, unifiedCgroups }: CgroupOptions): boolean {
  return unifiedCgroups === false && cgroupNoV1 !== "all";
}
