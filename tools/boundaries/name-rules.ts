import { posix } from "node:path";
import type { Violation } from "./violation.ts";

/** Names that say nothing about what is inside. */
const emptyNames = new Set(["util", "utils", "helper", "helpers", "common", "core", "manager", "misc", "shared"]);

/** Entries of published packages: the only files that may be called `index.ts`. */
const publishedEntries = new Set(["packages/sdk/src/index.ts"]);

/** File and folder names: kebab-case, meaningful, and no barrels. */
export function checkName(path: string): Violation[] {
  const base = posix.basename(path);
  const stem = base.replace(/\.[^/]*$/, "");
  const violations: Violation[] = [];
  const report = (rule: string, message: string): void => void violations.push({ path, line: 1, rule, message });
  if (!/\.tsx?$/.test(base)) return violations;
  const empty = [...posix.dirname(path).split("/"), stem].find(
    (part) => emptyNames.has(part) || emptyNames.has(part.split("-").at(-1) ?? ""),
  );
  if (empty !== undefined) report("meaningful-name", `"${empty}" says nothing about what is inside; name the thing it does`);
  if (/^index\.tsx?$/.test(base) && !publishedEntries.has(path))
    report("no-barrel", "import from the file that defines a thing; only a published entry is an index.ts");
  if (!/^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9-]+)*\.tsx?$/.test(base)) report("kebab-case", "file names are kebab-case");
  return violations;
}
