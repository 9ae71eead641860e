import { createServer, request } from "node:http";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import t, { type Test } from "tap";
import { readBody } from "../../../src/forwarder/in/body.ts";
import { ByteBudget } from "../../../src/forwarder/in/byte-budget.ts";
import { Refusal } from "../../../src/forwarder/refusal.ts";
import { post, temporaryFolder } from "../running.ts";

const mib = 1024 * 1024;
const gzip = { "content-encoding": "gzip" };

/** A budget that tells what was asked of it. */
class WatchedBudget extends ByteBudget {
  readonly asked: number[] = [];
  held = 0;

  override take(bytes: number): void {
    this.asked.push(bytes);
    super.take(bytes);
    this.held += bytes;
  }

  override give(bytes: number): void {
    super.give(bytes);
    this.held -= bytes;
  }
}

/** A real server that answers with the length of each body, or with the status of its refusal. */
async function serve(t: Test, budget: ByteBudget): Promise<string> {
  const path = join(temporaryFolder(t), "s");
  const server = createServer(async (request, response) => {
    try {
      const body = await readBody(request, budget);
      body.release();
      response.end(`${body.bytes.length}`);
    } catch (error) {
      const status = error instanceof Refusal ? error.status : 500;
      response.writeHead(status, { connection: "close" }).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.teardown(() => server.close());
  return path;
}

t.test("a packed body is unpacked no further than all bodies together may go", async (t) => {
  const budget = new WatchedBudget(mib);
  const path = await serve(t, budget);
  const answer = await post(path, gzipSync(Buffer.alloc(60 * mib)), gzip);
  t.equal(answer.status, 503);
  const asked = budget.asked.reduce((sum, bytes) => sum + bytes, 0);
  t.ok(asked < 2 * mib, `unpacked ${asked} bytes`);
  t.equal(budget.held, 0, "and gives back what it held");
});

t.test("a packed body is unpacked no further than one body may go", async (t) => {
  const budget = new WatchedBudget(256 * mib);
  const path = await serve(t, budget);
  const answer = await post(path, gzipSync(Buffer.alloc(65 * mib)), gzip);
  t.equal(answer.status, 413);
  t.ok(Math.max(...budget.asked) < mib, "chunk by chunk");
  t.equal(budget.held, 0);
});

t.test(
  "what a packed body unpacks to counts, twice while its pieces are joined, and whole bodies come through",
  async (t) => {
    const budget = new WatchedBudget(9 * mib);
    const path = await serve(t, budget);
    const packed = gzipSync(Buffer.alloc(4 * mib, "span"));
    for (let i = 0; i < 3; i++) {
      const answer = await post(path, packed, gzip);
      t.equal(answer.status, 200);
      t.equal(answer.body.toString(), `${4 * mib}`);
    }
    t.equal(budget.held, 0);
  },
);

t.test("joining the pieces of a body counts, so the peak stays within the budget", async (t) => {
  const budget = new WatchedBudget(6 * mib);
  const path = await serve(t, budget);
  t.equal((await post(path, gzipSync(Buffer.alloc(4 * mib, "span")), gzip)).status, 503);
  t.equal(budget.held, 0);
});

t.test("a packed body has an end also when it unpacks to nothing", async (t) => {
  const path = await serve(t, new ByteBudget(mib));
  const nothing = gzipSync("");
  const body = Buffer.alloc(65 * mib - ((65 * mib) % nothing.length), nothing);
  const answer = await post(path, body, gzip).catch((error: NodeJS.ErrnoException) => error.code);
  // A sender that is still at it when the connection closes may see that instead of the answer.
  if (typeof answer === "object") t.equal(answer.status, 413);
  else t.match(answer, /EPIPE|ECONNRESET/);
});

t.test("bytes that come one by one count as what it costs to keep them", async (t) => {
  const budget = new WatchedBudget(mib);
  const path = await serve(t, budget);
  const status = await new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: path, method: "POST", agent: false });
    outgoing.on("response", (answer) => resolve(answer.resume().statusCode)).on("error", reject);
    // Each write is a chunk of its own on the wire.
    for (let i = 0; i < 4000; i++) outgoing.write("x");
    outgoing.end();
  });
  t.equal(status, 503);
  t.equal(budget.held, 0);
});

t.test("a packed body that ends early is refused", async (t) => {
  const budget = new WatchedBudget(mib);
  const path = await serve(t, budget);
  const packed = gzipSync(Buffer.alloc(mib / 2, "span"));
  t.equal((await post(path, packed.subarray(0, -20), gzip)).status, 400);
  t.equal(budget.held, 0);
});

t.test("zeros behind the packed bytes are passed over", async (t) => {
  const path = await serve(t, new ByteBudget(mib));
  const body = Buffer.concat([gzipSync("spans"), Buffer.alloc(mib)]);
  const answer = await post(path, body, gzip);
  t.equal(answer.status, 200);
  t.equal(answer.body.toString(), "5");
});
