/**
 * Bundles apps/cli into .build/cli/syla.mjs, or the file that is named, with what only some commands need in `chunks/` beside it: that
 * starts several times as fast as the TypeScript sources. A command that runs meanwhile keeps the files that it was started from.
 */
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { build } from "esbuild";

const root = new URL("..", import.meta.url).pathname;
const target = process.argv[2] ?? `${root}.build/cli/syla.mjs`;
const keptMs = 24 * 3600 * 1000;

const { outputFiles } = await build({
  entryPoints: { [basename(target, ".mjs")]: `${root}apps/cli/src/main.ts` },
  outdir: dirname(target),
  outExtension: { ".js": ".mjs" },
  chunkNames: "chunks/[name]-[hash]",
  bundle: true,
  splitting: true,
  platform: "node",
  target: "node24",
  format: "esm",
  minifySyntax: true,
  // Node would take --env-file of the words for one of its own.
  banner: { js: "#!/usr/bin/env -S node --" },
  legalComments: "none",
  write: false,
  // Its build for browsers is of ES modules; the one for Node.js requires at run time what a bundle does not have.
  alias: { yaml: `${root}node_modules/yaml/browser/index.js` },
});

const chunks = join(dirname(target), "chunks");
mkdirSync(chunks, { recursive: true });
// Chunks are named by what they hold; the entry, which names them, comes last.
const inOrder = outputFiles.toSorted((a, b) => Number(a.path.endsWith(basename(target))) - Number(b.path.endsWith(basename(target))));
for (const { path, contents } of inOrder) {
  writeFileSync(`${path}.${process.pid}.new`, contents);
  renameSync(`${path}.${process.pid}.new`, path);
}
const current = new Set(outputFiles.map(({ path }) => basename(path)));
for (const name of readdirSync(chunks)) {
  const path = join(chunks, name);
  if (!current.has(name) && existsSync(path) && Date.now() - statSync(path).mtimeMs > keptMs) rmSync(path, { force: true });
}
