import type { SourceFile } from "../source-files.ts";
import { lineAt, listImports, visitNodes } from "../syntax.ts";
import { runsAlone } from "./alone-files.ts";
import { runsApart } from "./apart-files.ts";
import type { Violation } from "./violation.ts";

/**
 * A test that measures or disturbs the machine must have it for itself, one that measures its process must have that: else it fails, or makes
 * others fail, now and then.
 */
export function checkTestGroup(file: SourceFile): Violation[] {
  if (!file.path.endsWith(".test.ts") || runsAlone(file.path)) return [];
  const report = (line: number, what: string): Violation => {
    const message = `it ${what}, so it must run alone: add it to tools/boundaries/alone-files.ts`;
    return { path: file.path, line, rule: "alone", message };
  };
  const imports = listImports(file)
    .filter(({ specifier }) => specifier.endsWith("/census.ts"))
    .map(({ line }) => report(line, "takes a census of the machine"));
  const found: Violation[] = [];
  visitNodes(file, {
    Identifier(node) {
      if (node.name !== "memoryUsage" || runsApart(file.path)) return;
      const message = "it measures its process, so it must have one to itself: add it to tools/boundaries/apart-files.ts";
      found.push({ path: file.path, line: lineAt(file.text, node.start), rule: "apart", message });
    },
    Literal(node) {
      if (node.value === "SIGSTOP") found.push(report(lineAt(file.text, node.start), "lets processes stand still"));
    },
  });
  return [...imports, ...found];
}
