import { existsSync, readFileSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { parse, stringify, TomlError } from "smol-toml";
import { CliError } from "../cli-error.ts";
import { changeToml } from "./change-toml.ts";
import { writePrivateFile } from "./private-file.ts";

/** A TOML document as plain values. */
export type TomlValues = Readonly<Record<string, unknown>>;

/** The values in a file; null when there is no file. @throws CliError `config_invalid`, with the line */
export function readTomlFile(file: string): TomlValues | null {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new CliError(`${file} cannot be read: ${(cause as Error).message}`, {
      code: "config_unreadable",
      exit: "config",
      hint: "Check who owns it.",
      cause,
    });
  }
  try {
    return parse(text);
  } catch (cause) {
    if (!(cause instanceof TomlError)) throw cause;
    // What the parser quotes may be a line with a key in it.
    const [what = ""] = cause.message.replace(/^Invalid TOML document: /, "").split("\n", 1);
    throw new CliError(`${file}:${cause.line}:${cause.column}: ${what}`, {
      code: "config_invalid",
      exit: "config",
      hint: "Correct it, or delete it to start afresh.",
      cause,
    });
  }
}

/** Writes values into a file that only its owner can read. What a person wrote into it besides, like comments, stays where that can be. */
export function writeTomlFile(file: string, values: TomlValues, heading: string): void {
  const before = existsSync(file) ? readFileSync(file, "utf8") : null;
  const changed = before === null ? null : changeToml(before, parse(before), values);
  const text = changed !== null && means(changed, values) ? changed : `${heading}${stringify(values)}`;
  writePrivateFile(file, text.endsWith("\n") ? text : `${text}\n`);
}

function means(text: string, values: TomlValues): boolean {
  try {
    return isDeepStrictEqual(plain(parse(text)), plain(values));
  } catch {
    return false;
  }
}

/** The parser's objects have no prototype, and a table without a value says nothing. */
function plain(values: TomlValues): unknown {
  const said = Object.entries(values).filter(([, value]) => JSON.stringify(value) !== "{}");
  return JSON.parse(JSON.stringify(Object.fromEntries(said)));
}
