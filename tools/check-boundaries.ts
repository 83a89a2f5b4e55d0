import { findViolations } from "./boundaries/rules.ts";
import { readSourceFiles, repositoryRoot } from "./source-files.ts";

const files = readSourceFiles(repositoryRoot, [".ts", ".tsx"]);
const violations = findViolations(files);
for (const { path, line, rule, message } of violations) console.error(`${path}:${line}  ${rule}  ${message}`);
console.log(`${files.length} files, ${violations.length} broken boundaries`);
if (violations.length > 0) process.exitCode = 1;
