import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { generateAll } from "./generators/all.ts";
import type { GeneratedFile } from "./generators/generated-file.ts";
import { repositoryRoot } from "./source-files.ts";

/** The committed text, or undefined when the file is not there yet. */
function readCommitted(path: string): string | undefined {
  try {
    return readFileSync(join(repositoryRoot, path), "utf8");
  } catch {
    return undefined;
  }
}

function writeGenerated({ path, content }: GeneratedFile): void {
  const file = join(repositoryRoot, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const files = generateAll();
const stale = files.filter((file) => readCommitted(file.path) !== file.content);
for (const file of stale) {
  if (values.check) console.error(`${file.path} is stale; run \`npm run generate\` and commit it`);
  else writeGenerated(file);
}
console.log(
  values.check ? `${files.length} generated files, ${stale.length} stale` : `${files.length} generated files, ${stale.length} written`,
);
if (values.check && stale.length > 0) process.exitCode = 1;
