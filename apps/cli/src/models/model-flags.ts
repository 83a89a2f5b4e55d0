import type { ModelConfigDraft } from "@syla/sdk";
import { Option } from "commander";
import { usageError } from "../cli-error.ts";

/** What may be said of a model when it is made, and changed later. */
export interface ModelFlags {
  readonly inputPrice?: number;
  readonly outputPrice?: number;
  readonly role?: NonNullable<ModelConfigDraft["roles"]>;
  readonly cacheSeconds?: number;
  readonly visibility?: "private" | "public";
}

export function modelOptions(): Option[] {
  return [
    new Option("--input-price <dollars>", "US dollars for a million tokens of input").argParser(readPrice),
    new Option("--output-price <dollars>", "US dollars for a million tokens of output").argParser(readPrice),
    new Option("--role <role...>", "who may select it, besides its owner; everybody when left out").choices([
      "end_user",
      "developer",
      "admin",
    ]),
    new Option("--visibility <visibility>", "whether everybody may select it, or those alone with whom it is shared").choices([
      "private",
      "public",
    ]),
    new Option("--cache-seconds <seconds>", "how long an answer at temperature 0 answers equal calls of the same person").argParser(
      readSeconds,
    ),
  ];
}

/** What of a configuration the flags say. */
export function configOf(
  { inputPrice, outputPrice, role, cacheSeconds }: ModelFlags,
  before?: ModelConfigDraft,
): Partial<ModelConfigDraft> {
  const prices = {
    ...before?.prices,
    ...(inputPrice === undefined ? {} : { input: inputPrice }),
    ...(outputPrice === undefined ? {} : { output: outputPrice }),
  };
  return {
    ...(Object.keys(prices).length === 0 ? {} : { prices }),
    ...(role === undefined ? {} : { roles: [...new Set(role)] }),
    ...(cacheSeconds === undefined ? {} : { cacheSeconds }),
  };
}

function readPrice(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 1_000_000)) throw usageError(`"${text}" is not a price.`, "Give US dollars for a million tokens, e.g. 0.15.");
  return value;
}

function readSeconds(text: string): number {
  const value = /^\d{1,7}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 2_592_000))
    throw usageError(`"${text}" is not a number of seconds.`, "Give whole seconds, at most 2592000 (30 days); 0: never.");
  return value;
}
