/** A committed file that a program writes. */
export interface GeneratedFile {
  /** From the repository's root. */
  readonly path: string;
  readonly content: string;
}

/** JSON as it is committed: two spaces, a newline at the end. */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function formatRow(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`).replaceAll("\n", " ")).join(" | ")} |`;
}

/** A Markdown table; `|` and line breaks in cells are made harmless. */
export function formatMarkdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [formatRow(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(formatRow)].join("\n");
}
