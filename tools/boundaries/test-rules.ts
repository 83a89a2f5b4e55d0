import type { SourceFile } from "../source-files.ts";
import { lineAt, listImports, visitNodes } from "../syntax.ts";
import { runsAlone } from "./alone-files.ts";
import type { Violation } from "./violation.ts";

/** A test that measures or disturbs the machine must have it for itself: else it fails, or makes others fail, now and then. */
export function checkTestGroup(file: SourceFile): Violation[] {
  if (!file.path.endsWith(".test.ts") || runsAlone(file.path)) return [];
  const report = (line: number, what: string): Violation => {
    const message = `it ${what}, so it must run alone: add it to tools/boundaries/alone-files.ts`;
    return { path: file.path, line, rule: "alone", message };
  };
  const imports = listImports(file)
    .filter(({ specifier }) => specifier.endsWith("/census.ts"))
    .map(({ line }) => report(line, "takes a census of the machine"));
  const stops: Violation[] = [];
  visitNodes(file, {
    Literal(node) {
      if (node.value === "SIGSTOP") stops.push(report(lineAt(file.text, node.start), "lets processes stand still"));
    },
  });
  return [...imports, ...stops];
}
