import { findBrokenLinks } from "./links/rules.ts";
import { listPaths, readSourceFiles, repositoryRoot } from "./source-files.ts";

const documents = readSourceFiles(repositoryRoot, [".md"]);
const broken = findBrokenLinks(documents, new Set(listPaths(repositoryRoot)));
for (const { path, line, target } of broken) console.error(`${path}:${line}  leads nowhere: ${target}`);
console.log(`${documents.length} documents, ${broken.length} broken links`);
if (broken.length > 0) process.exitCode = 1;
