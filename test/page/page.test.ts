/**
 * The page in a real browser, fed by a real forwarder. Pictures for people are left in build/page/.
 */
import { accessSync, mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, chromium, type Page } from "playwright-core";
import { type Test, test } from "tap";
import { tracePage } from "../../src/ctl/trace-page.ts";
import { type PodTrace, podTrace, podTraceId } from "../fakes/pod-trace.ts";
import { post, runForwarder, temporaryFolder } from "../forwarder/running.ts";
import { tracedPod } from "../forwarder/traced-pod.ts";

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(isThere);
const skip = executablePath === undefined ? "no chromium on this machine" : false;
const pictures = join(import.meta.dirname, "../../build/page");
const axePath = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const json = { "content-type": "application/json" };

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}

/** A browser, and a way to open pages whose errors fail the test. */
async function browse(t: Test): Promise<(url: string, colorScheme?: "light" | "dark") => Promise<Page>> {
  const args = ["--no-sandbox", "--disable-dev-shm-usage"];
  const browser: Browser = await chromium.launch({ ...(executablePath && { executablePath }), args });
  t.teardown(() => browser.close());
  return async (url, colorScheme = "light") => {
    // The policy of the page forbids foreign scripts, and the judge of accessibility is one.
    const context = await browser.newContext({
      ...{ bypassCSP: true, colorScheme, viewport: { width: 1280, height: 800 } },
    });
    // A browser on a busy machine may need longer than the thirty seconds that are its default.
    context.setDefaultTimeout(180_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => t.fail(`error in the page: ${error.message}`));
    await page.goto(url);
    return page;
  };
}

/** A forwarder with a page, and a way to have it receive traces. */
async function forwarder(t: Test): Promise<{ url: string; send: (trace: PodTrace) => Promise<void> }> {
  const folder = temporaryFolder(t);
  const socket = join(folder, "trace.sock");
  const file = join(folder, "spans.jsonl");
  const args = ["--listen", `unix://${socket}`, "--file", file, "--ui", "127.0.0.1:0"];
  const { url } = await (await runForwarder(t, ...args)).logged("page is served");
  return {
    url: String(url),
    send: async (trace) => {
      const { status } = await post(socket, JSON.stringify(podTrace(trace)), json);
      if (status !== 200) throw new Error(`refused with ${status}`);
    },
  };
}

/** The same with all that may stand between: spans held back by sampling, a backend that is away, a spool. */
async function holdingForwarder(t: Test): Promise<{ url: string; socket: string }> {
  const folder = temporaryFolder(t);
  const [socket, config] = [join(folder, "trace.sock"), join(folder, "config.toml")];
  const lines = [
    `listen = ["unix://${socket}"]`,
    'ui = "tcp://127.0.0.1:0"',
    "drain_timeout_ms = 0",
    "[sampling]",
    "keep_one_in = 1000003",
    "[[backend]]",
    'type = "otlp-http"',
    'url = "http://127.0.0.1:9"',
    `spool = "${join(folder, "spool")}"`,
  ];
  writeFileSync(config, lines.join("\n"));
  const { url } = await (await runForwarder(t, "--config", config)).logged("page is served");
  return { url: String(url), socket };
}

async function violations(page: Page): Promise<string[]> {
  await page.addScriptTag({ path: axePath });
  const { violations: found } = await page.evaluate<{
    violations: { id: string; nodes: { html: string }[] }[];
  }>("axe.run()");
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

async function takePicture(page: Page, name: string): Promise<void> {
  mkdirSync(pictures, { recursive: true });
  await page.screenshot({ path: join(pictures, `${name}.png`) });
}

const names = (page: Page) => page.locator("tbody tr td:nth-child(2) .quiet").allInnerTexts();

test("traces appear while one looks, the failed and the slow ones first", { skip }, async (t) => {
  const open = await browse(t);
  const { url, send } = await forwarder(t);
  const page = await open(url);
  await page.getByText("No trace has come yet").waitFor();
  await send({ number: 1, checks: 3 });
  await page.getByRole("link", { name: "StartVM" }).waitFor();
  await send({ number: 2, checks: 3, failed: true });
  await page.getByText("✗ 1 failed").waitFor();
  t.strictSame(await names(page), ["web-2", "web-1"]);
  await page.getByRole("combobox").selectOption("newest");
  t.strictSame(await names(page), ["web-2", "web-1"]);
  await page.getByRole("link", { name: /sandbox-1 · 1/ }).click();
  t.strictSame(await names(page), ["web-1"]);
  t.equal(new URL(page.url()).hash, "#/?q=sandbox%3Asandbox-1");
  t.strictSame(await violations(page), []);
});

test("a trace is read with the keyboard alone, and a link leads to a span", { skip }, async (t) => {
  const open = await browse(t);
  const { url, send } = await forwarder(t);
  await send({ number: 4, checks: 20, failed: true });
  const page = await open(url);
  await page.keyboard.press("/");
  await page.keyboard.type("pod-4");
  await page.keyboard.press("Escape");
  await page.getByRole("link", { name: "StartVM" }).press("Enter");
  const grid = page.getByRole("treegrid");
  await grid.focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  const details = page.getByRole("complementary", { name: "Span details" });
  await details.getByText("INTERNAL").waitFor();
  t.match(await details.textContent(), /shop/);
  t.equal(await grid.getAttribute("aria-rowcount"), "23");
  await page.keyboard.press("ArrowLeft");
  t.equal(await grid.getAttribute("aria-rowcount"), "22", "its children are folded away");
  await takePicture(page, "trace");
  t.strictSame(await violations(page), []);
  const again = await open(page.url());
  await again.getByRole("complementary", { name: "Span details" }).getByText("INTERNAL").waitFor();
  await page.keyboard.press("Escape");
  await details.waitFor({ state: "detached" });
});

test("a trace of 5,000 spans scrolls with a few rows in the document", { skip }, async (t) => {
  const open = await browse(t);
  const { url, send } = await forwarder(t);
  await send({ number: 5, checks: 5000 });
  const page = await open(`${url}/#/trace/${podTraceId(5)}`);
  const grid = page.getByRole("treegrid");
  await grid.focus();
  await page.keyboard.press("End");
  await page.locator('[aria-rowindex="5003"]').waitFor();
  t.ok((await page.getByRole("row").count()) < 100);
  await page.mouse.move(300, 400);
  await page.mouse.wheel(0, -60_000);
  await page.locator('[aria-rowindex="2490"]').waitFor();
  t.ok((await page.getByRole("row").count()) < 100);
});

test("what sampling and a spool hold back is shown, a span of a lost guest is marked", {
  skip,
}, async (t) => {
  const open = await browse(t);
  const { url, socket } = await holdingForwarder(t);
  const page = await open(url);
  await post(socket, JSON.stringify(podTrace({ number: 1, checks: 1 })), json);
  await page.getByRole("link", { name: "StartVM" }).waitFor();
  const pod = tracedPod();
  await post(socket, pod.body, { "kata-batch": "run-1" }, "/v1/kata/open-spans");
  await post(socket, "", { "kata-batch": "run-2" }, "/v1/kata/goodbye");
  await page.getByText("✗ 2 failed").waitFor();
  await page.goto(`${url}/#/trace/${pod.traceId}?span=${pod.stepId}`);
  await page.getByRole("row", { name: "… crun create" }).waitFor();
  const details = page.getByRole("complementary", { name: "Span details" });
  await details.getByText("Its guest was lost before it ended").waitFor();
  t.strictSame(await violations(page), []);
});

test("two traces beside each other tell which step was slower", { skip }, async (t) => {
  const open = await browse(t);
  const { url, send } = await forwarder(t);
  await send({ number: 1, checks: 1 });
  await send({ number: 2, checks: 1, slowerMs: 250 });
  const page = await open(url);
  await page.getByRole("button", { name: `Compare ${podTraceId(1).slice(0, 8)}` }).click();
  await page.getByRole("button", { name: `Compare ${podTraceId(2).slice(0, 8)}` }).click();
  await page.getByRole("checkbox").check();
  t.equal(await page.locator("tbody tr").first().textContent(), "crun create600 ms850 ms+ 250 ms");
  await takePicture(page, "compare");
  t.strictSame(await violations(page), []);
});

test("the service map shows runtime, agent and crun", { skip }, async (t) => {
  const open = await browse(t);
  const { url, send } = await forwarder(t);
  await send({ number: 1, checks: 2 });
  const page = await open(url);
  await page.keyboard.press("m");
  await page.getByRole("img", { name: "Service map" }).waitFor();
  t.strictSame(await page.locator("svg .title").allTextContents(), ["kata", "kata-agent", "crun"]);
  await takePicture(page, "map");
  t.strictSame(await violations(page), []);
});

test("the page is legible in the dark, and remembers what one chose", { skip }, async (t) => {
  const open = await browse(t);
  const { url, send } = await forwarder(t);
  await send({ number: 1, checks: 2, failed: true });
  const page = await open(`${url}/#/trace/${podTraceId(1)}`, "dark");
  await page.getByRole("treegrid").waitFor();
  const ground = () => page.evaluate("getComputedStyle(document.body).backgroundColor");
  t.equal(await ground(), "rgb(20, 23, 27)");
  t.strictSame(await violations(page), []);
  await page.getByRole("button", { name: "Theme: auto" }).click();
  t.equal(await ground(), "rgb(255, 255, 255)");
  await page.reload();
  await page.getByRole("button", { name: "Theme: light" }).waitFor();
});

test("the page of agentctl holds its spans and shows them from a file", { skip }, async (t) => {
  const open = await browse(t);
  const lines = [1, 2].map((number) => JSON.stringify(podTrace({ number, checks: 2 })));
  const hostile = JSON.stringify(podTrace({ number: 3, checks: 0 })).replaceAll("StartVM", "</script><b>x");
  async function* all(): AsyncIterable<string> {
    yield* [...lines, "not json", hostile];
  }
  const path = join(temporaryFolder(t), "out.html");
  writeFileSync(path, await tracePage(all(), new Set([podTraceId(1), podTraceId(3)])));
  const page = await open(pathToFileURL(path).href);
  await page.getByText("from a file").waitFor();
  t.strictSame((await names(page)).sort(), ["web-1", "web-3"]);
  await page.getByRole("link", { name: "StartVM" }).click();
  await page.getByRole("treegrid").waitFor();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Export OTLP JSON" }).click();
  t.equal((await saved).suggestedFilename(), `trace-${podTraceId(1)}.jsonl`);
});
