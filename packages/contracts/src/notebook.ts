/**
 * Notebooks as files: nbformat 4, with everything in it that is not known here kept as it was.
 *
 * Source: https://nbformat.readthedocs.io/en/latest/format_description.html
 */

type Fields = Readonly<Record<string, unknown>>;

export const notebookCellKinds = ["code", "markdown", "raw"] as const;
export type NotebookCellKind = (typeof notebookCellKinds)[number];

/** One cell. */
export interface NotebookCell {
  /** That of the file, or one of this reading alone. */
  readonly id: string;
  readonly kind: NotebookCellKind;
  readonly source: string;
  /** Of code: what it has printed and shown, as the file has it. */
  readonly outputs: readonly Fields[];
  readonly executionCount: number | null;
  /** Everything of it, as it was read. */
  readonly raw: Fields;
}

export interface Notebook {
  readonly cells: readonly NotebookCell[];
  /** Everything besides the cells, as it was read. */
  readonly raw: Fields;
}

/** The languages that notebooks are run in here. */
export type NotebookLanguage = "python" | "javascript";

/** A file that is no notebook, or none that can be shown. */
export class NotebookError extends Error {
  override readonly name = "NotebookError";
}

const mostCells = 10_000;
/** Cells have had ids since. */
const minorWithIds = 5;
const indentation = 1;

/** Reads a notebook. @throws NotebookError in words for whoever opened it */
export function parseNotebook(text: string): Notebook {
  const document = parseJson(text);
  if (!isFields(document)) throw new NotebookError("It is JSON, but no notebook: it has no cells.");
  const { cells, ...raw } = document;
  const version = raw["nbformat"];
  if (version !== 4)
    throw new NotebookError(
      typeof version === "number"
        ? `It is of version ${version} of the notebook format; only version 4 can be opened. Jupyter converts it.`
        : "It is JSON, but no notebook: it does not say its version.",
    );
  if (!Array.isArray(cells)) throw new NotebookError("It has no list of cells.");
  if (cells.length > mostCells) throw new NotebookError(`It has ${cells.length} cells; at most ${mostCells} can be shown.`);
  const taken = new Set<string>();
  return { raw, cells: cells.map((cell: unknown, index) => readCell(cell, index, taken)) };
}

/** The text of the file. What was not changed is written as it was read. */
export function writeNotebook({ cells, raw }: Notebook): string {
  const document = { cells: cells.map(writeCell), ...raw };
  return `${JSON.stringify(document, null, indentation)}\n`;
}

/** A notebook of one empty cell. */
export function newNotebook(language: NotebookLanguage): Notebook {
  const kernelspec =
    language === "python"
      ? { display_name: "Python 3", language: "python", name: "python3" }
      : { display_name: "JavaScript (Node.js)", language: "javascript", name: "javascript" };
  const raw = { metadata: { kernelspec, language_info: { name: language } }, nbformat: 4, nbformat_minor: minorWithIds };
  return { raw, cells: [newCell({ raw }, "code")] };
}

export function newCell({ raw }: Pick<Notebook, "raw">, kind: NotebookCellKind, source = ""): NotebookCell {
  const id = newCellId();
  const named = hasIds(raw) ? { id } : {};
  const code = kind === "code" ? { execution_count: null, outputs: [] } : {};
  return { id, kind, source, outputs: [], executionCount: null, raw: { cell_type: kind, ...named, metadata: {}, source: [], ...code } };
}

/** The same text as another kind of cell; its outputs go. */
export function withKind(notebook: Notebook, cell: NotebookCell, kind: NotebookCellKind): NotebookCell {
  if (cell.kind === kind) return cell;
  const made = newCell(notebook, kind, cell.source);
  const { metadata, attachments } = cell.raw;
  const kept = kind === "code" || attachments === undefined ? { metadata } : { metadata, attachments };
  const id = hasIds(notebook.raw) ? { id: cell.id } : {};
  return { ...made, id: cell.id, raw: { ...made.raw, ...kept, ...id } };
}

/** The language of its code; null for one that is not run here. */
export function languageOf({ raw }: Notebook): NotebookLanguage | null {
  const { kernelspec, language_info: info } = fieldsOf(raw["metadata"]);
  const told = fieldsOf(info)["name"] ?? fieldsOf(kernelspec)["language"] ?? "python";
  const name = typeof told === "string" ? told.toLowerCase() : "";
  if (/^(?:i?python\d?)$/.test(name)) return "python";
  return /^(?:javascript|node(?:js)?)$/.test(name) ? "javascript" : null;
}

/** Text as the format has it: one string, or its lines. */
export function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.filter((line) => typeof line === "string").join("") : "";
}

/** Code as an interpreter takes it: instructions for Jupyter itself are comments there. */
export function runnableSource(source: string, language: NotebookLanguage): string {
  if (language !== "python") return source;
  return source.replaceAll(/^%(?=(?:matplotlib|load_ext|reload_ext|autoreload|config)\b)/gm, "# %");
}

/** All of it as a program, in cells that editors know by `# %%`. */
export function scriptOf(notebook: Notebook): string {
  const language = languageOf(notebook) ?? "python";
  const mark = language === "python" ? "#" : "//";
  const commented = (text: string) => text.replaceAll(/^.*$/gm, (line) => (line === "" ? mark : `${mark} ${line}`));
  const cells = notebook.cells.map(({ kind, source }) =>
    kind === "code" ? `${mark} %%\n${source.replaceAll(/^(?=[%!])/gm, `${mark} `)}\n` : `${mark} %% [${kind}]\n${commented(source)}\n`,
  );
  return cells.join("\n");
}

function readCell(cell: unknown, index: number, taken: Set<string>): NotebookCell {
  const kind = isFields(cell) ? notebookCellKinds.find((known) => known === cell["cell_type"]) : undefined;
  if (!isFields(cell) || kind === undefined) throw new NotebookError(`Its cell ${index + 1} is of no kind that is known.`);
  const given = cell["id"];
  const id = typeof given === "string" && given !== "" && !taken.has(given) ? given : newCellId();
  taken.add(id);
  const { outputs, execution_count: count } = cell;
  return {
    id,
    kind,
    source: textOf(cell["source"]),
    raw: cell,
    outputs: kind === "code" && Array.isArray(outputs) ? outputs.filter(isFields) : [],
    executionCount: kind === "code" && typeof count === "number" ? count : null,
  };
}

function writeCell({ kind, source, outputs, executionCount, raw }: NotebookCell): Fields {
  const text = textOf(raw["source"]) === source ? {} : { source: linesOf(source) };
  if (kind !== "code") return { ...raw, ...text };
  const known: unknown = raw["outputs"];
  const isSame = Array.isArray(known) && known.length === outputs.length && outputs.every((output, at) => output === known[at]);
  const count = raw["execution_count"] === executionCount ? {} : { execution_count: executionCount };
  return { ...raw, ...text, ...count, ...(isSame ? {} : { outputs }) };
}

/** Each line with its end, as notebooks are written so that they can be compared line by line. */
function linesOf(text: string): string[] {
  return text === "" ? [] : (text.match(/[^\n]*\n|[^\n]+$/g) ?? []);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, keepNumber);
  } catch (error) {
    throw new NotebookError(`It is not JSON: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** Whole numbers that are too large for numbers here are written again as they were read. */
function keepNumber(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || Number.isSafeInteger(value) || source === undefined || !/^-?\d+$/.test(source)) return value;
  return (JSON as { rawJSON?: (text: string) => unknown }).rawJSON?.(source) ?? value;
}

function hasIds(raw: Fields): boolean {
  const minor = raw["nbformat_minor"];
  return typeof minor === "number" && minor >= minorWithIds;
}

function newCellId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(4)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}
