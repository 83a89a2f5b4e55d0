import type { ModelConfigDraft, Syla } from "@syla/sdk";
import { Option } from "commander";
import { usageError } from "../cli-error.ts";
import { findCredential } from "../credentials/find-credential.ts";

type Parameters = NonNullable<ModelConfigDraft["parameters"]>;
type Capabilities = NonNullable<ModelConfigDraft["capabilities"]>;
type Limits = NonNullable<ModelConfigDraft["limits"]>;

/** A number, or that there is none from now on. */
type MaybeNumber = number | "none";

/** What may be said of a model when it is made, and changed later. */
export interface ModelFlags {
  readonly inputPrice?: number;
  readonly outputPrice?: number;
  readonly role?: NonNullable<ModelConfigDraft["roles"]>;
  readonly visibility?: "private" | "public";
  readonly temperature?: MaybeNumber;
  readonly maxTokens?: MaybeNumber;
  readonly topP?: MaybeNumber;
  readonly frequencyPenalty?: MaybeNumber;
  readonly presencePenalty?: MaybeNumber;
  readonly seed?: MaybeNumber;
  readonly stop?: readonly string[];
  readonly header?: readonly string[];
  readonly secretHeader?: readonly string[];
  readonly contextWindow?: MaybeNumber;
  readonly tools?: YesNo;
  readonly jsonSchemas?: YesNo;
  readonly modality?: NonNullable<Capabilities["modalities"]>;
  readonly cacheSeconds?: number;
  readonly cacheFor?: NonNullable<ModelConfigDraft["cacheFor"]>;
  readonly store?: NonNullable<ModelConfigDraft["store"]>;
  readonly storeDays?: MaybeNumber;
  readonly requestsPerMinute?: MaybeNumber;
  readonly tokensPerMinute?: MaybeNumber;
}

type YesNo = "yes" | "no" | "unknown";

const yesNo = ["yes", "no", "unknown"] as const;

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
    new Option("--temperature <number>", "what a call gets that does not say itself, 0 to 2; `none` for nothing").argParser(numberIn(0, 2)),
    new Option("--max-tokens <number>", "the same for the most tokens of an answer").argParser(wholeIn(1, 10_000_000)),
    new Option("--top-p <number>", "the same for top P, 0 to 1").argParser(numberIn(0, 1)),
    new Option("--frequency-penalty <number>", "the same for the frequency penalty, -2 to 2").argParser(numberIn(-2, 2)),
    new Option("--presence-penalty <number>", "the same for the presence penalty, -2 to 2").argParser(numberIn(-2, 2)),
    new Option("--seed <number>", "the same for the seed").argParser(wholeIn(0, 2_147_483_647)),
    new Option("--stop <text...>", "the same for texts at which an answer ends; `none` for nothing"),
    new Option("--header <name=value...>", "a header of every call; NAME= takes it away"),
    new Option("--secret-header <name=credential...>", "a header whose value is a credential; NAME= takes it away"),
    new Option("--context-window <tokens>", "how much it reads; `none` for unknown").argParser(wholeIn(1, 1_000_000_000)),
    new Option("--tools <answer>", "whether it calls tools; `syla model test` finds out").choices(yesNo),
    new Option("--json-schemas <answer>", "whether its answers keep to a JSON schema").choices(yesNo),
    new Option("--modality <modality...>", "what it takes and gives").choices(["text", "image", "audio", "embedding"]),
    new Option("--cache-seconds <seconds>", "how long an answer at temperature 0 answers equal calls").argParser(readSeconds),
    new Option("--cache-for <people>", "whose equal calls: those of the same person, or of everybody who may call it").choices([
      "person",
      "everybody",
    ]),
    new Option("--store <what>", "what is kept of prompts and answers").choices(["full", "hashed", "off"]),
    new Option("--store-days <days>", "for how long; `none` for as long as the server says").argParser(wholeIn(1, 3650)),
    new Option("--requests-per-minute <number>", "of all callers together; `none` for any number").argParser(wholeIn(1, 1_000_000)),
    new Option("--tokens-per-minute <number>", "of all callers together; `none` for any number").argParser(wholeIn(1, 1_000_000_000)),
  ];
}

/** What of a configuration the flags say. */
export function configOf(flags: ModelFlags, before?: ModelConfigDraft): Partial<ModelConfigDraft> {
  const { inputPrice, outputPrice, role, cacheSeconds, cacheFor, store, storeDays } = flags;
  const prices = {
    ...before?.prices,
    ...(inputPrice === undefined ? {} : { input: inputPrice }),
    ...(outputPrice === undefined ? {} : { output: outputPrice }),
  };
  return {
    ...(Object.keys(prices).length === 0 ? {} : { prices }),
    ...(role === undefined ? {} : { roles: [...new Set(role)] }),
    ...changed("parameters", parametersOf(flags), before?.parameters),
    ...changed("capabilities", capabilitiesOf(flags), before?.capabilities),
    ...changed("limits", limitsOf(flags), before?.limits),
    ...(flags.header === undefined ? {} : { headers: { ...readPairs(flags.header, before?.headers) } }),
    ...(cacheSeconds === undefined ? {} : { cacheSeconds }),
    ...(cacheFor === undefined ? {} : { cacheFor }),
    ...(store === undefined ? {} : { store }),
    ...(storeDays === undefined ? {} : { storeDays: orNull(storeDays) }),
  };
}

/** The headers whose values are credentials, by the ids of these; nothing where no flag says any. */
export async function secretHeadersOf(
  syla: Syla,
  { secretHeader }: ModelFlags,
  ownerId: string | undefined,
  before: ModelConfigDraft["secretHeaders"] = {},
): Promise<Pick<ModelConfigDraft, "secretHeaders">> {
  if (secretHeader === undefined) return {};
  const ids = new Map<string, string>();
  for (const [name, word] of Object.entries(readPairs(secretHeader)))
    if (word !== "") ids.set(name, (await findCredential(syla, word, ownerId)).id);
  const named = Object.keys(readPairs(secretHeader, {}, true));
  const kept = Object.entries(before).filter(([name]) => !named.includes(name));
  return { secretHeaders: { ...Object.fromEntries(kept), ...Object.fromEntries(ids) } };
}

/** What differs, put over what was there; what became undefined is left out. */
function changed<K extends "parameters" | "capabilities" | "limits">(
  key: K,
  change: object,
  before: ModelConfigDraft[K],
): Partial<ModelConfigDraft> {
  if (Object.keys(change).length === 0) return {};
  const all = Object.entries({ ...before, ...change }).filter(([, value]) => value !== undefined);
  return { [key]: Object.fromEntries(all) };
}

function parametersOf(flags: ModelFlags): Parameters {
  const { stop } = flags;
  const numbers = ["temperature", "maxTokens", "topP", "frequencyPenalty", "presencePenalty", "seed"] as const;
  const said = numbers.flatMap((name) => (flags[name] === undefined ? [] : [[name, orNull(flags[name]) ?? undefined] as const]));
  const stops = stop === undefined ? {} : { stop: stop.length === 1 && stop[0] === "none" ? undefined : [...stop] };
  return { ...Object.fromEntries(said), ...stops };
}

function capabilitiesOf({ contextWindow, tools, jsonSchemas, modality }: ModelFlags): Capabilities {
  const answer = (word: YesNo) => (word === "unknown" ? null : word === "yes");
  return {
    ...(contextWindow === undefined ? {} : { contextWindow: orNull(contextWindow) }),
    ...(tools === undefined ? {} : { tools: answer(tools) }),
    ...(jsonSchemas === undefined ? {} : { json: answer(jsonSchemas) }),
    ...(modality === undefined ? {} : { modalities: [...new Set(modality)] }),
  };
}

function limitsOf({ requestsPerMinute, tokensPerMinute }: ModelFlags): Limits {
  return {
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute: orNull(requestsPerMinute) }),
    ...(tokensPerMinute === undefined ? {} : { tokensPerMinute: orNull(tokensPerMinute) }),
  };
}

/** NAME=VALUE, over what was there; NAME= takes away, unless `keepsEmpty`. */
function readPairs(pairs: readonly string[], before: Readonly<Record<string, string>> = {}, keepsEmpty = false): Record<string, string> {
  const found = new Map(Object.entries(before));
  for (const pair of pairs) {
    const at = pair.indexOf("=");
    if (at < 1) throw usageError(`"${pair}" has no name and value.`, "Write NAME=VALUE; NAME= takes it away.");
    const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
    if (value === "" && !keepsEmpty) found.delete(name);
    else found.set(name, value);
  }
  return Object.fromEntries(found);
}

function orNull(value: MaybeNumber): number | null {
  return value === "none" ? null : value;
}

function numberIn(least: number, most: number): (text: string) => MaybeNumber {
  return (text) => {
    if (text === "none") return text;
    const value = /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw usageError(`"${text}" is no number from ${least} to ${most}.`, "Or say none.");
    return value;
  };
}

function wholeIn(least: number, most: number): (text: string) => MaybeNumber {
  return (text) => {
    if (text === "none") return text;
    const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= least && value <= most)) throw usageError(`"${text}" is no whole number from ${least} to ${most}.`, "Or say none.");
    return value;
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
