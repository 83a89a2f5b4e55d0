import type { SourceFile } from "../source-files.ts";
import { checkImports } from "./import-rules.ts";
import { checkName } from "./name-rules.ts";
import { checkServerFile } from "./server-rules.ts";
import { checkTestGroup } from "./test-rules.ts";
import type { Violation } from "./violation.ts";

/** Checks files against every boundary rule. Pure: the same files always give the same answer. */
export function findViolations(files: readonly SourceFile[]): Violation[] {
  return files.flatMap((file) => [...checkName(file.path), ...checkImports(file), ...checkServerFile(file), ...checkTestGroup(file)]);
}
