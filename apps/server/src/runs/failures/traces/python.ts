import type { RunFrame } from "@syla/contracts/runs";
import { frameOf, type Trace } from "../trace.ts";

interface Block {
  /** How deep in a group of exceptions; 0: it is not in one. */
  readonly depth: number;
  readonly frames: RunFrame[];
  /** Another exception led to this one. */
  readonly chained: boolean;
  kind: string | null;
  message: string | null;
}

const groupPrefix = /^( *)[|+] ?(.*)$/;
const header = /^(?:Exception Group )?Traceback \(most recent call last\):$/;
const frame = /^ {2}File "([^"]{1,500})", line (\d{1,9})(?:, in (.{1,200}))?$/;
const marker = /^ {4,}[~^][~^ ]*$/;
const message = /^([A-Za-z_][\w.]{0,200})(?:: (.*))?$/;
const separator = /^-?\+?-{4,}/;
const links = ["During handling of the above exception,", "The above exception was the direct cause"];
const unparsable = ["SyntaxError", "IndentationError", "TabError"];

/** Tracebacks: chained ones, those of syntax errors, and groups. */
export function readPythonTrace(lines: readonly string[]): Trace | null {
  const blocks = readBlocks(lines);
  const index = blocks.findLastIndex(({ depth, message: said }) => depth === 0 && said !== null);
  const main = blocks[index];
  if (main === undefined || main.kind === null || main.message === null) return null;
  const parts = blocks.slice(index + 1).filter(({ message: said }) => said !== null);
  const first = parts.find(({ frames }) => frames.some(({ own }) => own));
  const frames = [...(first?.frames ?? []).toReversed(), ...main.frames.toReversed()];
  const isSyntax = unparsable.includes(main.kind);
  const told = isSyntax ? main.frames.findLast((candidate) => candidate.own && candidate.function === null) : undefined;
  return {
    code: isSyntax ? "syntax_error" : main.kind.endsWith("MemoryError") ? "out_of_memory" : "uncaught_exception",
    kind: main.kind,
    message: main.message,
    frames,
    place: told ?? frames.find(({ own }) => own) ?? null,
    causes: [...parts.map(({ message: said }) => said ?? ""), ...causesOf(blocks, index)],
  };
}

/** What led to the exception, the nearest first. */
function causesOf(blocks: readonly Block[], index: number): string[] {
  const causes: string[] = [];
  let current = blocks[index];
  for (let place = index - 1; place >= 0 && current?.chained === true; place -= 1) {
    const before = blocks[place];
    if (before === undefined || before.depth > 0) continue;
    if (before.message !== null) causes.push(before.message);
    current = before;
  }
  return causes;
}

function readBlocks(lines: readonly string[]): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  let chained = false;
  let separated = false;
  const begin = (depth: number): Block => {
    const block: Block = { depth, frames: [], chained, kind: null, message: null };
    blocks.push(block);
    chained = false;
    return block;
  };
  for (const line of lines) {
    const grouped = groupPrefix.exec(line);
    const indent = grouped?.[1]?.length ?? 0;
    const depth = indent <= 2 ? 0 : indent;
    const text = grouped?.[2] ?? line;
    if (links.some((link) => text.startsWith(link))) chained = true;
    if (header.test(text)) {
      open = begin(depth);
      separated = false;
      continue;
    }
    const [, path, at, name] = frame.exec(text) ?? [];
    if (path !== undefined && at !== undefined) {
      open = open?.depth === depth ? open : begin(depth);
      open.frames.push(frameOf(path, at, null, name ?? null));
    } else if (grouped !== null && separator.test(text)) {
      separated = true;
    } else if (open !== null && marker.test(text)) {
      mark(open.frames, text);
    } else if (!text.startsWith(" ") && text !== "" && (open !== null || separated)) {
      const [said, kind] = message.exec(text) ?? [];
      const block: Block | null = said === undefined ? null : (open ?? begin(depth));
      if (block !== null) Object.assign(block, { kind, message: said });
      open = null;
      separated = false;
    }
  }
  return blocks;
}

/** The column in the line as it is printed, which is without what it is indented by. */
function mark(frames: RunFrame[], text: string): void {
  const last = frames.at(-1);
  if (last !== undefined && last.column === null) frames[frames.length - 1] = { ...last, column: text.search(/[~^]/) - 3 };
}
