import { request } from "node:http";
import { type Test, test } from "tap";
import { silentLog } from "../../../src/base/log.ts";
import { servePage } from "../../../src/forwarder/ui/page-server.ts";
import { RecentTraces } from "../../../src/forwarder/ui/recent-traces.ts";
import { parseAddress } from "../../../src/vsock/address.ts";
import { podTrace, podTraceId } from "../../fakes/pod-trace.ts";

const line = JSON.stringify(podTrace({ number: 1, checks: 1 }));

async function served(t: Test): Promise<{ url: string; traces: RecentTraces }> {
  const traces = new RecentTraces();
  const server = await servePage(parseAddress("tcp://127.0.0.1:0"), traces, silentLog);
  t.teardown(() => server.close());
  return { url: server.url, traces };
}

/** Status of a request that says it was sent to another host name. */
function statusBy(url: string, host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { headers: { host }, agent: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    outgoing.on("error", reject).end();
  });
}

test("the list and a trace are served as JSON", async (t) => {
  const { url, traces } = await served(t);
  traces.add(line);
  t.match(await (await fetch(`${url}/api/traces`)).json(), { traces: [{ traceId: podTraceId(1) }] });
  t.match(await (await fetch(`${url}/api/traces/${podTraceId(1)}`)).json(), JSON.parse(line));
  t.equal((await fetch(`${url}/api/traces/${podTraceId(2)}`)).status, 404);
  t.equal((await fetch(`${url}/other`)).status, 404);
  t.equal((await fetch(url, { method: "POST" })).status, 405);
});

test("the page loads nothing from elsewhere and runs no script but its own", async (t) => {
  const { url } = await served(t);
  const page = await (await fetch(url)).text();
  t.match(page, /content-security-policy" content="default-src 'none'; script-src 'sha256-/);
  t.notMatch(page, /(?:src|href)="?https?:/);
});

test("changes are told as they happen", async (t) => {
  const { url, traces } = await served(t);
  const changes = await fetch(`${url}/api/changes`);
  const reader = changes.body?.getReader();
  const first = await reader?.read();
  t.equal(Buffer.from(first?.value ?? []).toString(), "data: changed\n\n");
  traces.add(line);
  t.equal(Buffer.from((await reader?.read())?.value ?? []).toString(), "data: changed\n\n");
  await reader?.cancel();
});

test("a browser that was led here by a foreign name gets nothing", async (t) => {
  const { url } = await served(t);
  t.equal(await statusBy(`${url}/api/traces`, "evil.example:80"), 403);
  t.equal(await statusBy(`${url}/api/traces`, "localhost:1"), 200);
});

for (const address of ["tcp://0.0.0.0:0", "tcp://192.0.2.1:0", "unix:///run/page.sock"]) {
  test(`the page is not served at ${address}`, async (t) => {
    await t.rejects(servePage(parseAddress(address), new RecentTraces(), silentLog), /loopback only/);
  });
}
