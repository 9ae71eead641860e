// Has Chromium open a page with one trace and take a picture of it, with its first "crun create" chosen:
//   node scripts/docs/take-picture.ts PAGE.html OUT.png
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const [from = "", to = ""] = process.argv.slice(2);
const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (executablePath === undefined) throw new Error("no chromium on this machine: apt-get install chromium");
const traceId = /"traceId":"([0-9a-f]{32})"/.exec(readFileSync(from, "utf8"))?.[1] ?? "";
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const page = await browser.newPage({ viewport: { width: 1280, height: 840 }, colorScheme: "light" });
  await page.goto(`${pathToFileURL(resolve(from)).href}#/trace/${traceId}`);
  await page.getByText("crun create").first().click();
  await page.getByRole("complementary", { name: "Span details" }).waitFor();
  await page.screenshot({ path: to });
} finally {
  await browser.close();
}
