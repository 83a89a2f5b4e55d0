import { readFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { CliError } from "../cli-error.ts";

/**
 * The JSON of a composition's file; `-` is standard input. What it says is not checked here.
 * @throws CliError `file_unreadable`; `composition_invalid` when it is no JSON
 */
export async function readDocument(file: string): Promise<unknown> {
  const source = await (file === "-" ? text(process.stdin) : readFile(file, "utf8")).catch((cause: unknown) => {
    const hint = "Name a file that was exported, or - for standard input.";
    throw new CliError(`${file} cannot be read.`, { code: "file_unreadable", exit: "no_input", hint, cause });
  });
  try {
    return JSON.parse(source);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : "";
    throw new CliError(`${file} is no JSON: ${reason}`, {
      code: "composition_invalid",
      exit: "invalid_request",
      hint: "A composition is one JSON document; docs/composition.schema.gen.json describes it.",
      cause,
    });
  }
}
