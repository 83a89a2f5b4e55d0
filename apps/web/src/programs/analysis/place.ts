/** A place in the files that were analysed. */
export interface Place {
  readonly file: string;
  readonly line: number | null;
  readonly column?: number | null;
  /** Of a notebook: its cell, in which `line` counts. */
  readonly cell?: number | null;
}

/** `file:line:column` as far as it is known, and the cell of a notebook. */
export function describePlace({ file, line, column, cell }: Place): string {
  const inside = typeof cell === "number" ? `${file}, cell ${cell}` : file;
  return line === null ? inside : [inside, line, column].filter((part) => typeof part !== "undefined" && part !== null).join(":");
}

/** The code cells of a notebook as text, and the line at which the wanted one starts. Null for what is no notebook. */
export function notebookText(source: string, place: Place): { readonly text: string; readonly line: number | null } | null {
  const lines: string[] = [];
  let line: number | null = null;
  try {
    const { cells } = JSON.parse(source) as { cells: { cell_type: string; source: string | string[] }[] };
    cells.forEach((cell, index) => {
      if (cell.cell_type !== "code") return;
      lines.push(`# cell ${index + 1}`);
      if (index + 1 === place.cell) line = lines.length + (place.line ?? 1);
      const text = typeof cell.source === "string" ? cell.source : cell.source.join("");
      lines.push(...text.replace(/\n$/, "").split("\n"), "");
    });
  } catch {
    return null;
  }
  return { text: lines.join("\n"), line };
}
