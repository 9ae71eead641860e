/**
 * `agentctl install`: sets a Kata runtime up for our guests and for tracing, in its configuration or in a drop-in beside
 * it. What changes is printed first; what was there before is kept.
 */
import { access } from "node:fs/promises";
import { addCommand, type Registry } from "../command.ts";
import { lookAtConfig } from "../doctor-words.ts";
import { ExitStatus } from "../exit-status.ts";
import { backupOf, replaceKept } from "../install/backup.ts";
import { dropInName, dropInPath, lastWord, writeDropIn } from "../install/drop-in.ts";
import { dropInText, editConfig } from "../install/edit-config.ts";
import { inForce, readKataConfig, withText } from "../install/kata-config.ts";
import { type Change, planChanges, type Wishes } from "../install/plan.ts";
import { collect } from "../option-values.ts";
import type { Session } from "../session.ts";
import { UsageError } from "../usage-error.ts";

type Given = {
  readonly kataConfig: string;
  readonly initrd?: string;
  readonly image?: string;
  readonly rootfsType?: string;
  readonly trace?: string;
  readonly kernelParam: string[];
  readonly jaeger: string | false;
  readonly hypervisor?: string;
  readonly dropIn?: boolean;
  readonly print?: boolean;
};

const forwarderEndpoint = "http://127.0.0.1:4318/api/traces";

/** `agentctl install`. */
export function addInstall(registry: Registry): void {
  addCommand<Given>(
    registry,
    {
      usage: "install",
      summary: "change the configuration of a Kata runtime so that its guests are traced",
      examples: [
        "install --kata-config /etc/kata-containers/configuration.toml --print",
        "install --kata-config /etc/kata-containers/configuration.toml --initrd /usr/share/kata-agent-node/initrd.img",
        "install --kata-config /etc/kata-containers/configuration.toml --drop-in --trace collated",
      ],
    },
    (session, _none, given) => install(session, given),
  )
    .requiredOption("--kata-config <file>", "configuration.toml of the Go runtime or of runtime-rs")
    .option("--initrd <file>", "boot guests from this initrd; the image is switched off")
    .option("--image <file>", "boot guests from this image; the initrd is switched off")
    .option("--rootfs-type <type>", "file system of the image: ext4, xfs, erofs")
    .option("--trace <how>", "the agent's traces: isolated, or collated within the runtime's")
    .option("--kernel-param <word>", "a further word for the guest's kernel; repeatable", collect, [])
    .option("--jaeger <url>", "where the runtime sends its own spans", forwarderEndpoint)
    .option("--no-jaeger", "leave the runtime's own tracing as it is")
    .option("--hypervisor <name>", "which one, where the configuration has several")
    .option("--drop-in", `write config.d/${dropInName} beside the configuration, and leave that alone`)
    .option("--print", "only print what would change");
}

async function install(session: Session, given: Given): Promise<number> {
  const wishes = await wishesOf(given);
  const config = await readKataConfig(given.kataConfig);
  const isDropIn = given.dropIn === true;
  const path = isDropIn ? dropInPath(config.path) : config.path;
  // All wishes stand in a drop-in of ours, so what an older one says does not count.
  const changes = planChanges(isDropIn ? inForce(config, dropInName) : config.table, wishes);
  const text = isDropIn ? dropInText(changes) : await editConfig(config.text, changes);
  const after = await withText(config, path, text);
  const [unmet] = planChanges(inForce(after), wishes);
  if (unmet !== undefined)
    throw new UsageError(
      `${lastWord(after, unmet)?.path} says otherwise about ${unmet.table}.${unmet.key} and counts later`,
    );
  const before = [config, ...config.dropIns].find((each) => each.path === path)?.text;
  const isNeeded = before !== text && (changes.length > 0 || before !== undefined);
  const isWritten = isNeeded && given.print !== true;
  if (isWritten) await write(path, text, isDropIn);
  await tell(session, config.path, {
    path,
    changes: isNeeded ? changes : [],
    isWritten,
    backup: isWritten && !isDropIn ? backupOf(path) : undefined,
  });
  return ExitStatus.done;
}

async function wishesOf(given: Given): Promise<Wishes> {
  const { initrd, image, rootfsType, trace, kernelParam, jaeger, hypervisor } = given;
  if (initrd !== undefined && image !== undefined)
    throw new UsageError("--initrd or --image: a runtime takes one of them");
  for (const file of [initrd, image].filter((path) => path !== undefined)) await needReadable(file);
  if (trace !== undefined && trace !== "isolated" && trace !== "collated")
    throw new UsageError("--trace isolated, or collated");
  const bad = kernelParam.find((word) => !/^[\x21\x23-\x7e]+$/.test(word));
  if (bad !== undefined)
    throw new UsageError(`--kernel-param ${JSON.stringify(bad)}: one word, without quotes`);
  return {
    ...{ initrd, image, rootfsType, trace, hypervisor },
    kernelParams: kernelParam,
    jaegerEndpoint: jaeger === false ? undefined : jaeger,
  };
}

async function needReadable(path: string): Promise<void> {
  if (!path.startsWith("/")) throw new UsageError(`${path}: the runtime needs an absolute path`);
  await access(path).catch((error: Error) => {
    throw new UsageError(`the runtime could not read it: ${error.message}`);
  });
}

async function write(path: string, text: string, isDropIn: boolean): Promise<void> {
  try {
    await (isDropIn ? writeDropIn(path, text) : replaceKept(path, text));
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`nothing was changed: ${(error as Error).message}`);
  }
}

type Outcome = {
  readonly path: string;
  readonly changes: readonly Change[];
  readonly isWritten: boolean;
  readonly backup: string | undefined;
};

async function tell(session: Session, config: string, outcome: Outcome): Promise<void> {
  const { path, changes, isWritten, backup } = outcome;
  const lines = changes.flatMap(({ table, key, before, after }) => [
    ...(before === undefined ? [] : [`- ${table}.${key} = ${JSON.stringify(before)}`]),
    ...(after === undefined ? [] : [`+ ${table}.${key} = ${JSON.stringify(after)}`]),
  ]);
  const head = lines.length === 0 ? [`${config}: nothing to change`] : [config, ...lines];
  const kept = backup === undefined ? "" : `; before it: ${backup}`;
  const done = isWritten ? [`written: ${path}${kept}`, ...(await next(config))] : [];
  await session.answer({ config, ...outcome, backup: backup ?? null }, [...head, ...done].join("\n"));
}

/** What the doctor says of it, and how it is asked about the rest once a guest runs. */
async function next(path: string): Promise<string[]> {
  const { state, what } = await lookAtConfig(path);
  return [
    `${state}: ${what}`,
    `when a guest runs: agentctl --addr ADDRESS doctor --config ${path} --forwarder tcp://127.0.0.1:10241`,
  ];
}
