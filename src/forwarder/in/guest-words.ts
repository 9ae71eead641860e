/** What our agent says about a request in its headers (docs/protocol.md, "Our own words"). */
export type GuestWords = {
  /** `service.instance.id` of the sender. */
  readonly instance: string;
  /** Number of the request; rises. */
  readonly sequence: number;
  /** The sender's clock when it sent, ns since 1970. */
  readonly clockNanos: bigint | undefined;
  /** Announced spans whose final form is in the body: 16 hex digits each. */
  readonly ended: readonly string[];
};

const batch = /^([A-Za-z0-9_.:-]{1,64})-(\d{1,15})$/;
const maxEnded = 400;

/** The words of a request; undefined when it is not from our agent, or they make no sense. */
export function guestWords(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): GuestWords | undefined {
  if (headers["kata-batch"] === undefined) return undefined;
  const [, instance, sequence] = batch.exec(single(headers["kata-batch"])) ?? [];
  if (instance === undefined) return undefined;
  const clock = single(headers["kata-clock"]);
  return {
    instance,
    sequence: Number(sequence),
    clockNanos: /^\d{1,19}$/.test(clock) ? BigInt(clock) : undefined,
    ended: single(headers["kata-ended"])
      .split(",", maxEnded)
      .map((id) => id.trim())
      .filter((id) => /^[0-9a-f]{16}$/.test(id)),
  };
}

function single(value: string | string[] | undefined): string {
  return typeof value === "string" ? value : "";
}
