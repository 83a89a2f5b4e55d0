import type { CompositionPort } from "@syla/sdk";
import { usageError } from "../cli-error.ts";
import { readDocument } from "./read-document.ts";

/** The inputs of a run as they were given; one that is named alone goes before the file's. @throws CliError */
export async function readInputs(
  { input, inputs: file }: { readonly input: readonly string[]; readonly inputs?: string },
  ports: readonly CompositionPort[],
): Promise<Record<string, unknown>> {
  const all = file === undefined ? {} : await readDocument(file);
  if (typeof all !== "object" || all === null || Array.isArray(all))
    throw usageError("The inputs are no JSON object.", 'For example: {"question": "How tall is Mont Blanc?"}.');
  const named = input.map((text): [string, unknown] => {
    const sign = text.indexOf("=");
    if (sign < 1) throw usageError(`${JSON.stringify(text)} is no input.`, "Write NAME=VALUE.");
    const name = text.slice(0, sign);
    return [name, readValue(text.slice(sign + 1), ports.find((port) => port.name === name)?.type)];
  });
  return { ...all, ...Object.fromEntries(named) };
}

/** What takes a text gets it as it is; whatever else is JSON, or a text that is none. */
function readValue(text: string, type: string | undefined): unknown {
  if (type === "str") return text;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
