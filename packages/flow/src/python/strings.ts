import { cleanText } from "../text.ts";
import { collection, type Doc } from "./doc.ts";

const named = new Map([
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);
// Controls, what is not seen, and halves of letters: a source file in UTF-8 cannot hold the last.
const escaped = /[\\\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Cs}]|(?! )\p{Zs}/gu;

function escape(character: string): string {
  const name = named.get(character);
  if (name !== undefined) return name;
  const code = character.codePointAt(0) ?? 0;
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, "0")}`;
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

/** A string literal on one line, in double quotes unless single ones need fewer backslashes. */
export function pyString(text: string): string {
  const inner = text.replace(escaped, escape);
  const doubles = inner.split('"').length;
  const quote = doubles > inner.split("'").length ? "'" : '"';
  return quote + inner.replaceAll(quote, `\\${quote}`) + quote;
}

/** A string literal over as many lines as the text has. */
export function pyLongString(text: string): string {
  const inner = text
    .split("\n")
    .map((part) => part.replace(escaped, escape))
    .join("\n")
    .replaceAll('"""', '""\\"')
    .replace(/"$/, '\\"');
  return `"""\\\n${inner}"""`;
}

/** Any JSON as a Python expression. */
export function pyLiteral(value: unknown): Doc {
  if (value === null || value === undefined) return "None";
  if (typeof value === "boolean") return value ? "True" : "False";
  if (typeof value === "number") return Object.is(value, -0) ? "-0.0" : String(value).replace("e+", "e");
  if (typeof value === "string") return pyString(value);
  if (Array.isArray(value)) return collection("[", value.map(pyLiteral), "]");
  return pyDict(Object.entries(value).map(([key, item]): [string, Doc] => [key, pyLiteral(item)]));
}

export function pyDict(entries: readonly (readonly [string, Doc])[]): Doc {
  return collection(
    "{",
    entries.map(([key, item]): Doc => [pyString(key), ": ", item]),
    "}",
  );
}

/** A docstring of any text, on lines that begin with `indent` spaces; undefined when nothing is left of it. */
export function docstring(text: string, indent: number): string | undefined {
  const lines = text
    .replaceAll("\t", "    ")
    .split(/\r\n?|\n/)
    .map((part) => cleanText(part).replaceAll("\\", "\\\\").replaceAll('"""', "'''").replace(/\s+$/u, ""));
  while (lines.length > 0 && lines[0]?.trim() === "") lines.shift();
  while (lines.length > 0 && lines.at(-1)?.trim() === "") lines.pop();
  const [first, ...rest] = lines;
  if (first === undefined) return undefined;
  const depth = Math.min(...rest.filter((part) => part !== "").map((part) => /^ */.exec(part)?.[0].length ?? 0));
  const below = rest.map((part) => (part === "" ? "" : " ".repeat(indent) + part.slice(depth)));
  const start = first.trimStart();
  const all = [start, ...below].join("\n");
  const opened = start.startsWith('"') ? ` ${all}` : all;
  if (rest.length > 0) return `"""${opened}\n${" ".repeat(indent)}"""`;
  return opened.endsWith('"') ? `"""${opened} """` : `"""${opened}"""`;
}
