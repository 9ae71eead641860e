import { PassThrough } from "node:stream";
import type { OptionRow } from "../../src/agent/options/option-row.ts";
import { optionTexts } from "../../src/agent/options/option-texts.ts";
import { type AgentOptions, optionTable } from "../../src/agent/options/options.ts";
import { bashCompletion } from "../../src/ctl/completion/bash.ts";
import { fishCompletion } from "../../src/ctl/completion/fish.ts";
import { type Outline, outlineOf } from "../../src/ctl/completion/outline.ts";
import { zshCompletion } from "../../src/ctl/completion/zsh.ts";
import { createProgram } from "../../src/ctl/program.ts";
import { newCommand } from "../../src/forwarder/read-arguments.ts";
import { manPage, type PageOrigin } from "./man-page.ts";
import { bold, escapeRoff, italic, item, sentence } from "./roff.ts";

/** A file for the folder of its kind: `man1`, or the shell whose completions it holds. */
export type ManualFile = { readonly kind: string; readonly name: string; readonly text: string };

const seeAlso = (...pages: string[]): string =>
  pages.map((page) => `${bold(page.slice(0, -3))}${page.slice(-3)}`).join(", ");

/** The manual pages of the three programs. */
export function manualPages(origin: PageOrigin): ManualFile[] {
  const page = (outline: Outline, section: 1 | 8, summary: string, more: [string, string][]): ManualFile => ({
    kind: `man${section}`,
    name: `${outline.name}.${section}`,
    text: manPage(outline, { section, summary, more }, origin),
  });
  return [
    page(agentctl(), 1, "talk to the Kata agent in a guest, and look at traces", [
      ["EXIT STATUS", exitStatus],
      ["ENVIRONMENT", item(bold("KATA_AGENT_SERVER_ADDR"), "The address where --addr is not given.")],
      ["SEE ALSO", seeAlso("kata-trace-forwarder(8)", "kata-agent(8)")],
    ]),
    page(outlineOf(newCommand()), 8, "take traces from Kata guests and hand them on", [
      ["EXIT STATUS", forwarderStatus],
      ["FILES", item(italic("/etc/kata-trace-forwarder/forwarder.toml"), forwarderFile)],
      [
        "SIGNALS",
        `${item(bold("SIGHUP"), "Read the configuration again.")}\n${item(bold("SIGTERM"), "Hand on what has arrived, then end.")}`,
      ],
      ["SEE ALSO", seeAlso("agentctl(1)", "kata-agent(8)")],
    ]),
    page(kataAgent, 8, "the agent in a guest of Kata Containers", [
      ["KERNEL COMMAND LINE", agentOptions()],
      ["SEE ALSO", seeAlso("agentctl(1)", "kata-trace-forwarder(8)")],
    ]),
  ];
}

/** Completions of the two programs that people call, for three shells. */
export function completionFiles(): ManualFile[] {
  return [agentctl(), outlineOf(newCommand())].flatMap((outline) => [
    { kind: "bash", name: outline.name, text: bashCompletion(outline) },
    { kind: "zsh", name: `_${outline.name}`, text: zshCompletion(outline) },
    { kind: "fish", name: `${outline.name}.fish`, text: fishCompletion(outline) },
  ]);
}

function agentctl(): Outline {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const { signal } = new AbortController();
  return outlineOf(createProgram({ stdin, stdout, stderr, env: {}, interrupted: signal }, () => {}));
}

const exitStatus = [
  item("0", "Done."),
  item("1", "The call failed; the code and the message are printed."),
  item("2", "The command line was not understood."),
  item("3", "Nobody answers at the address."),
  item("130", "It was interrupted."),
  ".PP\nrun, exec and pod end as the process of the guest does.",
].join("\n");

const forwarderStatus = [
  item("0", "It was told to end."),
  item("1", "It could not start."),
  item("2", "It was called wrongly, or the configuration was not understood."),
].join("\n");

const forwarderFile =
  "What the unit of systemd has it read. docs/forwarder.md tells all of its keys, in the folder of the package's documentation.";

const noValue = { value: undefined, valueNeeded: false, isCommon: false } as const;

/** What the agent reads of its arguments (src/agent/main.ts). */
const kataAgent: Outline = {
  name: "kata-agent",
  description:
    "Runs the containers of a guest for the Kata runtimes, as the first process, as a service of systemd, or by hand, and traces itself. In a guest it is told everything by the kernel's command line",
  flags: [
    {
      names: ["-c", "--config"],
      value: { name: "file", isFile: true, choices: [] },
      valueNeeded: true,
      isCommon: false,
      description: "read this TOML file, with the environment over it, instead of the kernel's command line",
    },
    { names: ["-v", "--version"], description: "print the version", ...noValue },
  ],
  operands: [],
  commands: [],
  more: "",
};

function agentOptions(): string {
  const names = Object.keys(optionTexts) as (keyof AgentOptions)[];
  const rows = names.map((name) => ({
    row: optionTable[name] as OptionRow<unknown>,
    text: optionTexts[name].text,
  }));
  return rows
    .filter(({ row }) => row.cmdline !== undefined && row.idle !== true)
    .map(({ row, text }) => {
      const plain = text.replace(/\[([^\]]+)\]\([^)]*\)/g, "$1").replaceAll("`", "");
      const also = [row.env, row.file && `${row.file} in the file`].filter((word) => word !== undefined);
      const behind = also.length > 0 ? `\n.br\n${escapeRoff(`Also ${also.join(", ")}.`)}` : "";
      return `${item(bold(row.cmdline ?? ""), sentence(plain))}${behind}`;
    })
    .join("\n");
}
