import { readFileSync } from "node:fs";
import { join } from "node:path";
import { listPaths, repositoryRoot } from "./source-files.ts";
import { findForbiddenWords } from "./words/rules.ts";

const binary = /\.(png|jpg|ico|woff2?|gz|tar|zip)$/;
const paths = listPaths(repositoryRoot).filter(
  (path) => !binary.test(path) && path !== "package-lock.json" && path !== "THIRD_PARTY_NOTICES",
);
const found = paths.flatMap((path) => findForbiddenWords({ path, text: readFileSync(join(repositoryRoot, path), "utf8") }));
for (const { path, line, word, reason } of found) console.error(`${path}:${line}  "${word}"  ${reason}`);
console.log(`${paths.length} files, ${found.length} forbidden words`);
if (found.length > 0) process.exitCode = 1;
