import { existsSync } from "node:fs";
import { join } from "node:path";
import { accepts, freePort } from "../loopback.ts";
import { Measured } from "../measured.ts";

const root = join(import.meta.dirname, "../..");
/** The real Collector, where scripts/backends.ts has put it. */
export const collector = join(root, ".cache/backends/collector");
const folder = join(root, "deploy/kustomize/gateway");
/** A try that takes longer is made once more, and then a span is there twice: not on a machine that is only busy. */
const patience = "120s";

/** A balancer and samplers: real Collectors with the configuration that a cluster gets, on ports of the loopback. */
export type Gateway = {
  /** Where forwarders send to, OTLP over HTTP. */
  readonly url: string;
  readonly programs: Readonly<Record<string, Measured>>;
  close(): Promise<void>;
};

/** Why there is no gateway here, or false. */
export function noGateway(): string | false {
  return !existsSync(collector) && "the OpenTelemetry Collector could not be had on this machine";
}

/** `backend` gets what `sampler-1`, `sampler-2`, … keep at a path of that name. All is kept. */
export async function startGateway(backend: string, samplers: number): Promise<Gateway> {
  const programs: Record<string, Measured> = {};
  const hostnames: string[] = [];
  const close = async () => {
    for (const program of Object.values(programs)) await program.stop();
  };
  try {
    for (let i = 1; i <= samplers; i++) {
      const port = await freePort();
      const endpoint = `127.0.0.1:${port}`;
      programs[`sampler-${i}`] = await run("sampler.yaml", port, {
        receivers: { otlp: { protocols: { grpc: { endpoint } } } },
        processors: {
          tail_sampling: { decision_wait: "2s", policies: [{ name: "all", type: "always_sample" }] },
        },
        exporters: {
          otlphttp: { endpoint: `${backend}/sampler-${i}`, compression: "none", timeout: patience },
        },
      });
      hostnames.push(endpoint);
    }
    const [grpc, http] = [await freePort(), await freePort()];
    programs["balancer"] = await run("balancer.yaml", http, {
      receivers: {
        otlp: {
          protocols: { grpc: { endpoint: `127.0.0.1:${grpc}` }, http: { endpoint: `127.0.0.1:${http}` } },
        },
      },
      exporters: {
        loadbalancing: {
          resolver: { dns: null, static: { hostnames } },
          protocol: { otlp: { timeout: patience } },
        },
      },
    });
    return { url: `http://127.0.0.1:${http}`, programs, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A Collector with a file of the gateway and, over it, what is other here than in a cluster. */
function run(file: string, port: number, other: object): Promise<Measured> {
  const quiet = { service: { telemetry: { metrics: { level: "none" } } } };
  const configs = [`file:${join(folder, file)}`, `yaml:${JSON.stringify({ ...other, ...quiet })}`];
  return Measured.start(
    collector,
    configs.map((config) => `--config=${config}`),
    () => accepts(port),
  );
}
