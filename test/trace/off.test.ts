import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import t from "tap";

/** Runs a module in a Node of its own and gives what it printed. The loader hook tells every OpenTelemetry module. */
function run(code: string): string {
  const program = `
    import { registerHooks } from "node:module";
    const loaded = [];
    registerHooks({ resolve(name, context, next) {
      const found = next(name, context);
      if (found.url.includes("@opentelemetry")) loaded.push(name);
      return found;
    } });
    const span = await import("./src/trace/span.ts");
    const { startTracing } = await import("./src/trace/tracing.ts");
    await import("./src/trace/boot-steps.ts");
    ${code}
    console.log(loaded.length > 0 ? "loaded" : "nothing loaded");`;
  const root = fileURLToPath(new URL("../..", import.meta.url));
  return execFileSync(process.execPath, ["--input-type=module", "-e", program], {
    cwd: root,
    encoding: "utf8",
  });
}

t.test("while tracing is off no module of OpenTelemetry is loaded, whatever is called", async (t) => {
  const output = run(`await span.span("work", {}, async () => {}); span.startSpan("x", {}).end();`);
  t.equal(output.trim(), "nothing loaded");
});

t.test("a switch that is off loads nothing and passes calls on as they are", async (t) => {
  const output = run(`
    const { TraceSwitch } = await import("./src/trace/trace-switch.ts");
    const { fullSettings } = await import("./src/trace/trace-settings.ts");
    const off = new TraceSwitch({ settings: fullSettings, address: "", target: () => {}, flushMs: 1, interval: {} });
    const answer = Promise.resolve({});
    const handle = off.interceptor(() => answer);
    if (handle({ method: { name: "Check" } }) !== answer) throw new Error("not passed on");`);
  t.equal(output.trim(), "nothing loaded");
});

t.test("the hook of this test sees them once tracing starts", async (t) => {
  const output = run(`
    const log = { debug() {}, info() {}, warn() {}, error() {} };
    const connect = () => Promise.reject(new Error("nobody"));
    const tracing = await startTracing({ mode: "isolated", connect, authority: "x", serviceVersion: "1", log });
    await tracing.shutdown(0);`);
  t.equal(output.trim(), "loaded");
});
