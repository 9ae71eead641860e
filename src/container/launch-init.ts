import type { ContainerId } from "../base/ids.ts";
import type { Bundle } from "../runtime/bundle.ts";
import type { Crun, Launched } from "../runtime/crun.ts";
import { crunHooksOf } from "../runtime/hooks.ts";
import type { OciSpec } from "../runtime/oci.ts";

/**
 * Writes the document that was made from a container's effective spec into its bundle and has crun create it; once more without device rules where the
 * kernel turns out not to take them. @throws INTERNAL with crun's complaint.
 */
export async function launchInit(
  crun: Crun,
  id: ContainerId,
  bundle: Bundle,
  spec: OciSpec,
  document: OciSpec,
): Promise<Launched> {
  const { deviceRules } = crun;
  const hooks = crunHooksOf(spec, bundle, crun.log);
  const create = () => {
    bundle.write("config.json", deviceRules.document(document));
    return crun.create(id, bundle, document.process?.terminal === true, hooks);
  };
  const restricted = deviceRules.restrict(document);
  try {
    return await create();
  } catch (error) {
    if (!restricted || !deviceRules.refused(error)) throw error;
    return create();
  }
}
