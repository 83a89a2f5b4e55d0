import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { generateAll } from "./generators/all.ts";
import { repositoryRoot } from "./source-files.ts";

/** The committed text, or undefined when the file is not there yet. */
function readCommitted(path: string): string | undefined {
  try {
    return readFileSync(join(repositoryRoot, path), "utf8");
  } catch {
    return undefined;
  }
}

const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const files = generateAll();
const stale = files.filter((file) => readCommitted(file.path) !== file.content);
for (const file of stale) {
  if (values.check) console.error(`${file.path} is stale; run \`npm run generate\` and commit it`);
  else writeFileSync(join(repositoryRoot, file.path), file.content);
}
console.log(
  values.check ? `${files.length} generated files, ${stale.length} stale` : `${files.length} generated files, ${stale.length} written`,
);
if (values.check && stale.length > 0) process.exitCode = 1;
