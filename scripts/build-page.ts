import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";

/**
 * Makes the page that shows traces: one HTML file with its script and style inside, which loads nothing from anywhere
 * else. The policy in its head allows exactly that script, that style, and calls to where the page came from.
 */
export async function buildPage(root: string, out: string): Promise<void> {
  const script = await bundleScript(root);
  const { code: style } = await minifyStyle(readFileSync(join(root, "src/page/page.css"), "utf8"));
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
  const html = [
    '<!doctype html><html lang="en" data-theme="auto"><head><meta charset="utf-8">',
    `<meta http-equiv="content-security-policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Kata traces</title>',
    `<style>${style}</style></head><body><div id="root"></div>`,
    // What agentctl writes between these two is the page's own data.
    '<script type="application/json" id="spans"></script>',
    `<script>${script}</script></body></html>\n`,
  ].join("");
  writeFileSync(out, html);
}

async function bundleScript(root: string): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: ["src/page/main.tsx"],
    tsconfig: "src/page/tsconfig.json",
    bundle: true,
    write: false,
    format: "iife",
    target: "es2024",
    minify: true,
    charset: "utf8",
    legalComments: "none",
    logLevel: "warning",
  });
  // A bundle that named an end tag in a text would end its own element.
  return (outputFiles[0]?.text ?? "").trim().replace(/<\/(?=script)/gi, "<\\/");
}

function minifyStyle(css: string): Promise<{ code: string }> {
  return build({
    stdin: { contents: css, loader: "css" },
    write: false,
    minify: true,
    logLevel: "warning",
  }).then(({ outputFiles }) => ({ code: (outputFiles?.[0]?.text ?? "").trim() }));
}

function hashOf(text: string): string {
  return `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
}
