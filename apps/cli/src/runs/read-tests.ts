import { readdirSync, statSync } from "node:fs";
import { dirname, extname, join, resolve } from "node:path";
import type { Runtime, TestsDraft } from "@syla/sdk";
import { parse } from "yaml";
import { CliError } from "../cli-error.ts";
import { readInput } from "./collect-files.ts";

type Languages = readonly Pick<Runtime, "name" | "extensions">[];
type CaseDraft = TestsDraft["cases"][number];
/** A document as it was read: its shape is the server's to judge, but for what stands for files of this machine. */
type Document = Record<string, unknown>;

const outputEnds = [".out", ".ans", ".expected"];

/**
 * Reads test cases: a YAML or JSON document (a list of cases, or `cases` among settings), or a folder of `NAME.in` and `NAME.out`.
 * `languages` tells the language of a checker from its file.
 */
export function readTests(path: string, languages: Languages): TestsDraft {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory() === true) return { cases: readFolder(path) };
  const document = readDocument(path);
  const folder = dirname(resolve(path));
  const settings: Document = Array.isArray(document) ? { cases: document } : document;
  if (!Array.isArray(settings["cases"])) throw invalid(path, "holds no list of cases");
  const cases = settings["cases"].map((entry, index) => {
    if (!isObject(entry)) throw invalid(path, `case ${index + 1} is not an object`);
    return resolveCase(entry, folder, languages);
  });
  return { ...resolveCheck(settings, folder, languages), cases };
}

function readDocument(path: string): Document | unknown[] {
  let document: unknown;
  try {
    document = parse(readInput(path).toString("utf8"), { maxAliasCount: 100 });
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw invalid(path, (error as Error).message.split("\n")[0] ?? "cannot be parsed", error);
  }
  if (!isObject(document) && !Array.isArray(document)) throw invalid(path, "holds no test cases");
  return document;
}

/** `stdinFile` and `expected.stdoutFile` name files beside the document; a plain `expected` is what is printed. */
function resolveCase(entry: Document, folder: string, languages: Languages): CaseDraft {
  const { stdinFile, expected, ...rest } = resolveCheck(entry, folder, languages);
  const input = typeof stdinFile === "string" ? content("stdin", readInput(join(folder, stdinFile))) : {};
  return { ...rest, ...input, ...(expected !== undefined && { expected: resolveExpected(expected, folder) }) } as CaseDraft;
}

function resolveExpected(expected: unknown, folder: string): unknown {
  if (typeof expected === "string") return { stdout: expected };
  if (!isObject(expected) || typeof expected["stdoutFile"] !== "string") return expected;
  const { stdoutFile, ...rest } = expected;
  return { ...rest, ...content("stdout", readInput(join(folder, stdoutFile))) };
}

/** `check: { program: { file } }` names the checker's file. */
function resolveCheck(entry: Document, folder: string, languages: Languages): Document {
  const check = entry["check"];
  if (!isObject(check) || !isObject(check["program"]) || typeof check["program"]["file"] !== "string") return entry;
  const { file, ...rest } = check["program"];
  const language = languages.find(({ extensions }) => extensions.includes(extname(file)))?.name;
  return {
    ...entry,
    check: {
      ...check,
      program: { ...(language !== undefined && { language }), ...rest, code: readInput(join(folder, file)).toString("utf8") },
    },
  };
}

/** Pairs of files, ordered by name: `1.in` and `1.out`. */
function readFolder(folder: string): CaseDraft[] {
  const names = new Set(readdirSync(folder));
  const inputs = [...names].filter((name) => extname(name) === ".in");
  if (inputs.length === 0) throw invalid(folder, "holds no files NAME.in");
  return inputs.toSorted(new Intl.Collator("en", { numeric: true }).compare).map((name) => {
    const stem = name.slice(0, -".in".length);
    const output = outputEnds.map((end) => stem + end).find((candidate) => names.has(candidate));
    if (output === undefined) throw invalid(folder, `${name} has no ${stem}.out`);
    const expected = content("stdout", readInput(join(folder, output)));
    return { name: stem, ...content("stdin", readInput(join(folder, name))), expected };
  });
}

function content(name: "stdin" | "stdout", bytes: Buffer): Record<string, string> {
  const text = bytes.toString("utf8");
  return Buffer.from(text).equals(bytes) ? { [name]: text } : { [`${name}Base64`]: bytes.toString("base64") };
}

function isObject(value: unknown): value is Document {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function invalid(path: string, message: string, cause?: unknown): CliError {
  return new CliError(`${path}: ${message}.`, {
    code: "tests_invalid",
    exit: "invalid_request",
    hint: "docs/how-to/judge-solutions.md shows what test cases look like.",
    cause,
  });
}
