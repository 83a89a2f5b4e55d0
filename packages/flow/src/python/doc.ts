/** Text that may be laid out on one line or on several: what fits stays together. */
export type Doc =
  | string
  | readonly Doc[]
  | { group: Doc }
  | { indent: Doc }
  | { line: "" | " " }
  | { broken: string }
  | { at: (column: number) => Doc };

export const softLine: Doc = { line: "" };
export const line: Doc = { line: " " };
/** Only there when the group around it is laid out on several lines. */
export function ifBroken(text: string): Doc {
  return { broken: text };
}
export function group(...parts: Doc[]): Doc {
  return { group: parts };
}

const width = 88;
/** Room enough for anything: what begins so far to the left stays on one line. */
const widest = 1e9;
type Item = { doc: Doc; indent: number; isFlat: boolean };

function fits(room: number, first: Item, rest: readonly Item[]): boolean {
  const stack = [first];
  let next = rest.length - 1;
  for (let left = room; left >= 0;) {
    const item = stack.pop() ?? rest[next--];
    if (item === undefined) return true;
    const { doc, indent, isFlat } = item;
    if (typeof doc === "string") left -= widthOf(doc);
    else if (isList(doc)) for (let index = doc.length - 1; index >= 0; index -= 1) stack.push({ doc: doc[index] ?? "", indent, isFlat });
    else if ("group" in doc) stack.push({ doc: doc.group, indent, isFlat });
    else if ("indent" in doc) stack.push({ doc: doc.indent, indent, isFlat });
    else if ("at" in doc) stack.push({ doc: doc.at(0), indent, isFlat });
    else if ("line" in doc) {
      if (!isFlat) return true;
      left -= doc.line.length;
    } else if (!isFlat) left -= doc.broken.length;
  }
  return false;
}

/** Letters of two columns are counted as such. */
function widthOf(text: string): number {
  let columns = 0;
  for (const letter of text)
    columns +=
      /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{1f300}-\u{1f64f}\u{1f900}-\u{1f9ff}\u{20000}-\u{3fffd}]/u.test(
        letter,
      )
        ? 2
        : /\p{M}/u.test(letter)
          ? 0
          : 1;
  return columns;
}

function isList(doc: Doc): doc is readonly Doc[] {
  return Array.isArray(doc);
}

/** The lines of a document, the first one after `indent` spaces. */
export function render(doc: Doc, indent: number): string {
  let out = " ".repeat(Math.max(0, indent));
  let column = indent;
  const stack: Item[] = [{ doc, indent, isFlat: false }];
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    const { doc: part, indent: by, isFlat } = item;
    if (typeof part === "string") {
      out += part;
      column += widthOf(part);
    } else if (isList(part)) {
      for (let index = part.length - 1; index >= 0; index -= 1) stack.push({ doc: part[index] ?? "", indent: by, isFlat });
    } else if ("group" in part) {
      const flat = { doc: part.group, indent: by, isFlat: true };
      stack.push(isFlat || fits(width - column, flat, stack) ? flat : { ...flat, isFlat: false });
    } else if ("indent" in part) stack.push({ doc: part.indent, indent: by + 4, isFlat });
    else if ("at" in part) stack.push({ doc: part.at(column), indent: by, isFlat });
    else if ("broken" in part) {
      if (isFlat) continue;
      out += part.broken;
      column += part.broken.length;
    } else if (isFlat) {
      out += part.line;
      column += part.line.length;
    } else {
      out += `\n${" ".repeat(by)}`;
      column = by;
    }
  }
  return out;
}

function join(items: readonly Doc[], between: Doc): Doc[] {
  return items.flatMap((item, index) => (index === 0 ? [item] : [between, item]));
}

/** Arguments: on one line, or below on one line, or each on a line of its own. */
export function call(name: Doc, items: readonly Doc[]): Doc {
  if (items.length === 0) return [name, "()"];
  return group(name, "(", { indent: [softLine, group(...join(items, [",", line]), ifBroken(","))] }, softLine, ")");
}

/** A list, dictionary or tuple: on one line, or each item on a line of its own. */
export function collection(open: string, items: readonly Doc[], close: string): Doc {
  if (items.length === 0) return open + close;
  return group(open, { indent: [softLine, ...join(items, [",", line]), ifBroken(",")] }, softLine, close);
}

/** A list of what an expression gives for each item. */
export function comprehension(element: Doc, clauses: readonly string[]): Doc {
  return group("[", { indent: [softLine, group(...join([element, ...clauses], line))] }, softLine, "]");
}

/** Several values: without brackets while they fit. One value is itself. */
export function tuple(items: readonly Doc[]): Doc {
  if (items.length === 1) return items[0] ?? "None";
  return group(ifBroken("("), { indent: [softLine, ...join(items, [",", line]), ifBroken(",")] }, softLine, ifBroken(")"));
}

/** An expression without brackets, which gets some when it does not fit. */
export function parenthesized(expression: Doc): Doc {
  return group(ifBroken("("), { indent: [softLine, group(expression)] }, softLine, ifBroken(")"));
}

/** `a if c else b` of all alternatives; the last one needs no condition. */
export function conditional(cases: readonly { value: Doc; condition: string }[], last: Doc): Doc {
  return cases.length === 0
    ? last
    : parenthesized([...cases.flatMap(({ value, condition }): Doc[] => [value, line, `if ${condition}`, line, "else "]), last]);
}

/** Operands joined by `and` or `or`. */
export function operation(operator: "and" | "or", operands: readonly Doc[]): Doc {
  return operands.length === 1 ? (operands[0] ?? "") : parenthesized(join(operands, [line, `${operator} `]));
}

/**
 * `a, b = call(…)`. Where the names and the beginning of the call do not fit, the call goes into brackets below; where not even the
 * names fit, each gets a line.
 */
export function assignment(targets: readonly Doc[], value: Doc): Doc {
  const names = targets.map((target) => render(target, -widest)).join(", ");
  const [head = ""] = render(value, -widest).split("\n");
  const opened = head.slice(0, head.indexOf("(") + 1);
  const isName = /^\w+$/.test(head);
  const keepsTogether = head.endsWith("()") || head.startsWith("await ");
  return {
    at: (column) => {
      const isWide = column + widthOf(names) + " = (".length > width;
      const start = isName ? head : opened;
      const isOver = start !== "" && column + widthOf(`${names} = ${start}`) + (head.endsWith("()") ? 1 : 0) > width;
      if (targets.length > 1 && (isWide || (isOver && keepsTogether))) return [collection("(", targets, ")"), " = ", value];
      return [names, " = ", isOver ? parenthesized(value) : value];
    },
  };
}
