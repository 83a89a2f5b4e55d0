import { parseSync, Visitor, type VisitorObject } from "oxc-parser";
import type { SourceFile } from "./source-files.ts";

/** One `import`, `export … from`, `import()` or `import("…")` type. */
export interface ModuleImport {
  readonly specifier: string;
  /** True when nothing is left of it after type stripping. */
  readonly typeOnly: boolean;
  readonly line: number;
}

type Parsed = ReturnType<typeof parseSync>;

/** Parses TypeScript or JavaScript; throws with the place when it is not valid. */
export function parseSource(file: SourceFile): Parsed {
  const parsed = parseSync(file.path, file.text);
  const problem = parsed.errors[0];
  if (problem !== undefined) throw new Error(`${file.path}: ${problem.message}`);
  return parsed;
}

/** Line number (from 1) of an offset in UTF-16 units. */
export function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let index = text.indexOf("\n"); index !== -1 && index < offset; index = text.indexOf("\n", index + 1)) line += 1;
  return line;
}

/** Calls the visitor for every node of the file. */
export function visitNodes(file: SourceFile, visitor: VisitorObject): void {
  new Visitor(visitor).visit(parseSource(file).program);
}

/** Everything that a file imports, in the order of the text. */
export function listImports(file: SourceFile): ModuleImport[] {
  const found: { specifier: string; typeOnly: boolean; offset: number }[] = [];
  visitNodes(file, {
    ImportDeclaration(node) {
      found.push({ specifier: node.source.value, typeOnly: node.importKind === "type", offset: node.start });
    },
    ExportNamedDeclaration(node) {
      if (node.source !== null) found.push({ specifier: node.source.value, typeOnly: node.exportKind === "type", offset: node.start });
    },
    ExportAllDeclaration(node) {
      found.push({ specifier: node.source.value, typeOnly: node.exportKind === "type", offset: node.start });
    },
    ImportExpression(node) {
      if (node.source.type === "Literal" && typeof node.source.value === "string") {
        found.push({ specifier: node.source.value, typeOnly: false, offset: node.start });
      }
    },
    TSImportType(node) {
      found.push({ specifier: node.source.value, typeOnly: true, offset: node.start });
    },
  });
  return found
    .toSorted((a, b) => a.offset - b.offset)
    .map(({ specifier, typeOnly, offset }) => ({ specifier, typeOnly, line: lineAt(file.text, offset) }));
}
