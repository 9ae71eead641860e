/** What a host tells its guest once, at boot, on a disk of its own (agent-api 1.4 step 10). */
import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Log } from "../base/log.ts";
import { findInitdata } from "./initdata-device.ts";

/** What the rest of the boot has to know of it. */
export type Initdata = {
  /** Text of the policy that takes the place of the image's own; undefined when it brings none. */
  readonly policy: string | undefined;
};

const folder = "/run/confidential-containers/initdata";
/** The files that go to the helpers of confidential computing, by their names in the document. */
const helperFiles = ["aa.toml", "cdh.toml"];
const policyFile = "policy.rego";

/**
 * Looks for the guest's initdata and puts its files where others look for them, readable by root alone. Undefined when
 * there is none. @throws when there is one that cannot be read: a guest must not go on without what was meant for it.
 */
export async function takeInitdata(
  log: Log,
  find: () => Promise<Uint8Array | undefined> = findInitdata,
  into = folder,
): Promise<Initdata | undefined> {
  const packed = await find();
  if (packed === undefined) return undefined;
  const { parseInitdata } = await import("./initdata-document.ts");
  const { text, algorithm, data } = parseInitdata(packed);
  await mkdir(into, { recursive: true, mode: 0o700 });
  const store = (name: string, content: string | Uint8Array) =>
    writeFile(join(into, name), content, { mode: 0o600 });
  await store("initdata.toml", text);
  for (const name of helperFiles) {
    const content = data.get(name);
    if (content !== undefined) await store(name, content);
  }
  const policy = data.get(policyFile);
  const digest = createHash(algorithm).update(text).digest("hex");
  log.info({ algorithm, digest, policy: policy !== undefined }, "initdata was read");
  return { policy };
}
