import { destination, pino } from "pino";
import type { Config } from "./config.ts";
import { Forwarder } from "./forward.ts";
import { type Arguments, readArguments } from "./read-arguments.ts";
import { Reloading } from "./reloading.ts";
import { resolveConfig } from "./resolve-config.ts";

/**
 * kata-trace-forwarder: on the host, takes the spans of any number of guests and hands them on.
 * SIGHUP reads the configuration again. Exit status: 0 after SIGTERM or SIGINT, 1 when it cannot start, 2 when it was
 * called wrongly.
 */
const stderrFd = 2;
const usageStatus = 2;

async function main(): Promise<number> {
  const given = readArguments(process.argv.slice(2));
  if ("text" in given) {
    (given.status === 0 ? process.stdout : process.stderr).write(given.text);
    return given.status;
  }
  let config: Config;
  try {
    config = await resolveConfig(given, process.env);
  } catch (error) {
    process.stderr.write(`error: ${(error as Error).message}\n(--help shows what is possible)\n`);
    return usageStatus;
  }
  return run(given, config);
}

async function run(given: Arguments, config: Config): Promise<number> {
  const log = pino({ level: config.logLevel, base: { name: "kata-trace-forwarder" } }, destination(stderrFd));
  const ended = endSignal();
  const forwarder = new Forwarder(config, print, log);
  const load = async () => forwarder.reconfigure(await resolveConfig(given, process.env));
  const reloading = new Reloading(given.config, load, log);
  process.on("SIGHUP", () => void reloading.now().catch(() => {}));
  try {
    await forwarder.open(config, () => reloading.now());
    log.info({ signal: await ended }, "ending");
    reloading.close();
    await forwarder.close();
    return 0;
  } catch (error) {
    log.error({ err: (error as Error).message }, "cannot start");
    return 1;
  }
}

/** The name of the first signal that asks for the end; the second ends us on the spot. */
function endSignal(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    for (const signal of ["SIGTERM", "SIGINT"]) {
      process.on(signal, () => {
        if (asked) process.exit(130);
        asked = true;
        resolve(signal);
      });
    }
  });
}

function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

process.stdout.on("error", () => {}); // told to whoever printed
main().then((status) => process.exit(status));
