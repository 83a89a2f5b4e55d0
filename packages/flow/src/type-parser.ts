import {
  any,
  boolean,
  context,
  integer,
  listOf,
  model,
  none,
  number,
  optional,
  text,
  unionOf,
  type FlowType,
  type RecordField,
} from "./types.ts";

const maximumDepth = 40;
const maximumLength = 4000;

type Token = { kind: "name" | "number" | "punctuation" | "string"; text: string };

const tokenPattern = /\s+|([A-Za-z_][\w.]*)|(-?\d+(?:\.\d+)?)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|([^"'])/gy;
const escapes = new Map([
  ["n", "\n"],
  ["t", "\t"],
  ["r", "\r"],
  ["b", "\b"],
  ["f", "\f"],
]);

function unquote(quoted: string): string {
  return quoted
    .slice(1, -1)
    .replace(
      /\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))/g,
      (_, four: string | undefined, two: string | undefined, one: string | undefined) =>
        one === undefined ? String.fromCharCode(Number.parseInt(four ?? two ?? "0", 16)) : (escapes.get(one) ?? one),
    );
}

function tokenize(source: string): Token[] | undefined {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < source.length) {
    const match = tokenPattern.exec(source);
    if (match === null) return undefined;
    const [, name, digits, quoted, sign] = match;
    if (name !== undefined) tokens.push({ kind: "name", text: name });
    else if (digits !== undefined) tokens.push({ kind: "number", text: digits });
    else if (quoted !== undefined) tokens.push({ kind: "string", text: unquote(quoted) });
    else if (sign !== undefined) tokens.push({ kind: "punctuation", text: sign });
  }
  return tokens;
}

const plain = new Map<string, FlowType>([
  ["Any", any],
  ["object", any],
  ["None", none],
  ["NoneType", none],
  ["str", text],
  ["int", integer],
  ["float", number],
  ["bool", boolean],
  ["list", listOf(any)],
  ["List", listOf(any)],
  ["dict", { kind: "map", key: any, value: any }],
  ["Dict", { kind: "map", key: any, value: any }],
  ["MelleaSession", model],
  ["Context", context],
]);
const lists = new Set(["list", "List", "Sequence", "Iterable", "Collection"]);
const maps = new Set(["dict", "Dict", "Mapping", "MutableMapping"]);

/** Thrown and caught in this file: the text is no annotation that we read. */
class UnreadableError extends Error {}

class Parser {
  private at = 0;
  private readonly tokens: readonly Token[];
  private readonly depth: number;

  constructor(tokens: readonly Token[], depth: number) {
    this.tokens = tokens;
    this.depth = depth;
  }

  whole(): FlowType {
    const type = this.union(this.depth);
    if (this.at < this.tokens.length) throw new UnreadableError();
    return type;
  }

  private next(): Token {
    const token = this.tokens[this.at];
    if (token === undefined) throw new UnreadableError();
    this.at += 1;
    return token;
  }

  private takes(sign: string): boolean {
    const token = this.tokens[this.at];
    if (token?.kind !== "punctuation" || token.text !== sign) return false;
    this.at += 1;
    return true;
  }

  private expect(sign: string): void {
    if (!this.takes(sign)) throw new UnreadableError();
  }

  private union(depth: number): FlowType {
    if (depth > maximumDepth) throw new UnreadableError();
    const members = [this.single(depth)];
    while (this.takes("|")) members.push(this.single(depth));
    return members.length === 1 ? (members[0] ?? any) : unionOf(members);
  }

  private single(depth: number): FlowType {
    if (this.takes("(")) {
      const type = this.union(depth + 1);
      this.expect(")");
      return type;
    }
    if (this.takes("{")) return this.record(depth);
    const token = this.next();
    // A forward reference: the annotation in quotes.
    if (token.kind === "string") return readType(token.text, depth + 1);
    if (token.kind !== "name") throw new UnreadableError();
    const name = token.text.slice(token.text.lastIndexOf(".") + 1);
    return this.takes("[") ? this.generic(name, token.text, depth) : (plain.get(name) ?? { kind: "opaque", name: token.text });
  }

  private generic(name: string, written: string, depth: number): FlowType {
    if (name === "Literal") return this.literal();
    const start = this.at;
    if (name === "Annotated") {
      const type = this.union(depth + 1);
      this.skipTo("]");
      return type;
    }
    const parameters = this.known(name) ? this.parameters(depth) : undefined;
    const [first = any, second = any] = parameters ?? [];
    if (parameters !== undefined) {
      if (name === "Union") return unionOf(parameters);
      if (parameters.length === 1 && name === "Optional") return optional(first);
      if (parameters.length === 1 && lists.has(name)) return listOf(first);
      if (parameters.length === 2 && maps.has(name)) return { kind: "map", key: first, value: second };
      throw new UnreadableError();
    }
    this.skipTo("]");
    return { kind: "opaque", name: `${written}[${this.written(start, this.at - 1)}]` };
  }

  private known(name: string): boolean {
    return name === "Union" || name === "Optional" || lists.has(name) || maps.has(name);
  }

  private parameters(depth: number): FlowType[] {
    const types = [this.union(depth + 1)];
    while (this.takes(",")) {
      if (this.takes("]")) return types;
      types.push(this.union(depth + 1));
    }
    this.expect("]");
    return types;
  }

  private literal(): FlowType {
    const members: FlowType[] = [];
    do {
      const token = this.next();
      if (token.kind === "string") members.push({ kind: "literal", value: token.text });
      else if (token.kind === "number") members.push({ kind: "literal", value: Number(token.text) });
      else if (token.text === "True" || token.text === "False") members.push({ kind: "literal", value: token.text === "True" });
      else if (token.text === "None") members.push(none);
      else throw new UnreadableError();
    } while (this.takes(","));
    this.expect("]");
    return unionOf(members);
  }

  private record(depth: number): FlowType {
    const fields: RecordField[] = [];
    while (!this.takes("}")) {
      if (fields.length > 0) {
        this.expect(",");
        if (this.takes("}")) break;
      }
      const token = this.next();
      if (token.kind !== "name" && token.kind !== "string") throw new UnreadableError();
      const isOptional = this.takes("?");
      this.expect(":");
      fields.push({ name: token.text, isOptional, type: this.union(depth + 1) });
    }
    if (new Set(fields.map(({ name }) => name)).size < fields.length) throw new UnreadableError();
    return { kind: "record", fields };
  }

  /** Past the bracket that closes what is open here. */
  private skipTo(close: string): void {
    for (let open = 0; ;) {
      const { kind, text: sign } = this.next();
      if (kind !== "punctuation") continue;
      if (open === 0 && sign === close) return;
      if ("[({".includes(sign)) open += 1;
      if ("])}".includes(sign)) open -= 1;
    }
  }

  private written(from: number, to: number): string {
    const words = this.tokens.slice(from, to).map(({ kind, text: word }) => (kind === "string" ? JSON.stringify(word) : word));
    return words
      .join(" ")
      .replace(/ ([,\])}:?])/g, "$1")
      .replace(/([[({]) /g, "$1")
      .replace(/(\w) \[/g, "$1[");
  }
}

function readType(source: string, depth: number): FlowType {
  const tokens = tokenize(source);
  if (tokens === undefined) throw new UnreadableError();
  return new Parser(tokens, depth).whole();
}

/**
 * The type that an annotation means. Names that are not known, and what cannot be read at all, are opaque types of that text:
 * they fit only themselves.
 */
export function parseType(source: string): FlowType {
  try {
    if (source.length > maximumLength) throw new UnreadableError();
    return readType(source, 0);
  } catch (error) {
    if (error instanceof UnreadableError) return { kind: "opaque", name: source.trim().slice(0, maximumLength) };
    throw error;
  }
}
