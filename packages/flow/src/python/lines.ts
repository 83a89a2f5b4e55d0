import { operation, render, type Doc } from "./doc.ts";

/** A statement of a function, the node that it belongs to, and what must hold for it. */
export interface Statement {
  node: string;
  /** Conditions, all of which must hold; none: always. */
  guard: string;
  /** Documents that take a line or more; a text that ends with a colon opens a block for the next ones that are indented. */
  lines: readonly { doc: Doc; depth: number }[];
}

export function simple(...docs: Doc[]): Statement["lines"] {
  return docs.map((doc) => ({ doc, depth: 0 }));
}

/** The body of a function. Statements of one guard that follow each other share an `if`. */
export function layOut(statements: readonly Statement[]): { lines: string[]; marks: { node: string; from: number; to: number }[] } {
  const lines: string[] = [];
  const marks: { node: string; from: number; to: number }[] = [];
  let guard = "";
  for (const statement of statements) {
    if (statement.guard !== guard && statement.guard !== "")
      lines.push(...render(["if ", operation("and", statement.guard.split(" and ")), ":"], 4).split("\n"));
    guard = statement.guard;
    const from = lines.length;
    const depth = guard === "" ? 1 : 2;
    for (const { doc, depth: deeper } of statement.lines) lines.push(...render(doc, (depth + deeper) * 4).split("\n"));
    if (lines.length > from) marks.push({ node: statement.node, from, to: lines.length - 1 });
  }
  return { lines, marks };
}
