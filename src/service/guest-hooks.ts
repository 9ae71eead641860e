import type { OciHooks, OciSpec } from "../runtime/oci.ts";
import type { GuestHooks } from "../sandbox/guest-hooks.ts";

/** The spec with the hooks of the guest image behind its own, by stage (agent-api 3.3.6). */
export function withGuestHooks(spec: OciSpec, guest: GuestHooks): OciSpec {
  const hooks: OciHooks = { ...spec.hooks };
  for (const stage of ["prestart", "poststart", "poststop"] as const) {
    const all = [...(hooks[stage] ?? []), ...guest[stage]];
    if (all.length > 0) hooks[stage] = all;
  }
  return Object.keys(hooks).length === 0 ? spec : { ...spec, hooks };
}
