import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { type Block, isKnownWorld, type Page, type World } from "../../scripts/docs/page.ts";

const root = join(import.meta.dirname, "../..");
/** A page takes seconds; one that waits for what does not come ends here, and its output tells where. */
const limitMs = 400_000;

/** What came of a page's commands. */
export type Played = { readonly code: number | null; readonly output: string };

/**
 * The commands of a page that are run, hidden ones among them, as one shell script; empty when there are none. With a
 * world, those that need it are among them, and where none does there are none. A node has no others: the checkout is not
 * there.
 */
export function scriptOf(page: Page, world?: World): string {
  const isFor = (part: Page["script"][number]) => ("language" in part ? blockWorld(part) : part.world);
  const taken: (World | undefined)[] = world === "node" ? [world] : [undefined, world];
  const runs = page.script.filter((part) => isRun(part) && taken.includes(isFor(part)));
  return runs.some((part) => "language" in part && isFor(part) === world)
    ? runs.map((part) => `: "line ${part.line}"\n${part.text}`).join("\n")
    : "";
}

/** What the page says that its commands print; with a world, those that need it. */
export function printedBlocks({ blocks }: Page, world?: World): Block[] {
  const commands = (at: number) => blocks.slice(0, at).findLast(({ language }) => language === "sh");
  return blocks.filter(({ mark }, at) => {
    const above = commands(at);
    return mark?.kind === "printed" && (above && blockWorld(above)) === world;
  });
}

function isRun(part: Page["script"][number]): boolean {
  return !("language" in part) || (part.language === "sh" && part.mark?.kind !== "not run");
}

function blockWorld({ mark }: Block): World | undefined {
  return mark?.kind === "run in" && isKnownWorld(mark.text) ? mark.text : undefined;
}

/** Runs commands in namespaces of their own, as one script that ends at the first failure. Whatever they started ends. */
export async function runCommands(commands: string): Promise<Played> {
  const world = [join(root, "test/docs/page-world.sh"), root, `set -x\n${commands}`];
  const { PATH } = process.env;
  // A test that is killed ends nothing itself.
  const args = ["--pdeathsig", "KILL", "--", join(root, "scripts/namespaces.sh"), ...world];
  const child = spawn("setpriv", args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH },
    timeout: limitMs,
    killSignal: "SIGKILL",
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
  }
  const [code] = (await once(child, "close")) as [number | null];
  return { code, output };
}

/**
 * The lines of a `printed` block that the output does not have. Numbers, ids, bars, branches and white space may differ; `…` stands
 * for anything.
 */
export function missingLines(block: string, output: string): string[] {
  const lines = output.split("\n").map((line) => line.trim());
  return block
    .split("\n")
    .filter((line) => line.trim() !== "" && line.trim() !== "…")
    .filter((line) => {
      const form = formOf(line.trim());
      return !lines.some((printed) => form.test(printed));
    });
}

const loose: readonly (readonly [pattern: RegExp, form: string])[] = [
  [/^\s*…/, ".*"],
  [/^[0-9a-f]{8,}/, "[0-9a-f]+"],
  [/^\d+(\.\d+)?( ?(µs|ms|s|min))?(?![\w])/, "\\d+(?:\\.\\d+)?(?: ?(?:µs|ms|s|min))?"],
  [/^[█·]+/, "[█·]+"],
  [/^[├└│─]+/, "[├└│─]+"],
  [/^\s+/, "\\s+"],
];

function formOf(line: string): RegExp {
  let form = "";
  for (let rest = line; rest !== ""; ) {
    const [found, pattern] = matched(rest);
    form += pattern;
    rest = rest.slice(found);
  }
  return new RegExp(`^${form}$`, "u");
}

function matched(text: string): [length: number, form: string] {
  for (const [pattern, form] of loose) {
    const length = pattern.exec(text)?.[0].length ?? 0;
    if (length > 0) return [length, form];
  }
  const [first = ""] = text;
  return [first.length, first.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&")];
}
