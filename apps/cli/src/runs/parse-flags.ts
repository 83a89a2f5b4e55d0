import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import type { LimitsInput } from "@syla/sdk";
import { CliError, usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";

const durationUnits: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, "": 1000 };
const sizeUnits: Readonly<Record<string, number>> = { "": 1, b: 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 };

/** `500ms`, `30s`, `1.5m`, `2h`; a bare number is seconds. Milliseconds. */
export function parseDuration(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d|)$/.exec(text) ?? [];
  if (number === "") throw usageError(`"${text}" is not a duration.`, "Write it like 500ms, 30s, 5m or 1h.");
  return Math.round(Number(number) * (durationUnits[unit] ?? 1));
}

/** `512M`, `4G`, `1.5GiB`; K, M, G and T are powers of 1024. Bytes. */
export function parseSize(text: string): number {
  const [, number = "", unit = ""] = /^(\d+(?:\.\d+)?)([kmgt]?)(?:i?b)?$/i.exec(text) ?? [];
  if (number === "") throw usageError(`"${text}" is not a size.`, "Write it like 512M or 4G.");
  return Math.round(Number(number) * (sizeUnits[unit.toLowerCase()] ?? 1));
}

function parseCount(text: string): number {
  if (!/^\d+(\.\d+)?$/.test(text)) throw usageError(`"${text}" is not a number.`, "Write it like 2.");
  return Number(text);
}

const resources: Readonly<Record<string, readonly [keyof LimitsInput, (text: string) => number]>> = {
  cpu: ["cpus", parseCount],
  memory: ["memoryBytes", parseSize],
  disk: ["diskBytes", parseSize],
  output: ["outputBytes", parseSize],
  processes: ["processes", parseCount],
  files: ["openFiles", parseCount],
};

/** `cpu=2,memory=4G`, given once or several times. */
export function parseResources(texts: readonly string[]): LimitsInput {
  const limits: Record<string, number> = {};
  for (const part of texts.flatMap((text) => text.split(",")).map((text) => text.trim())) {
    const [name, value = ""] = splitOnce(part);
    const resource = Object.hasOwn(resources, name) ? resources[name] : undefined;
    const known = Object.keys(resources);
    if (resource === undefined)
      throw usageError(
        `There is no resource "${name}".${didYouMean(name, known)}`,
        `Write --resource cpu=2,memory=4G; the names are ${known.join(", ")}.`,
      );
    limits[resource[0]] = resource[1](value);
  }
  return limits;
}

/** Variables of `--env-file`s, overridden by `--env K=V`. `--env K` passes on the variable of that name. */
export function parseVariables(
  files: readonly string[],
  assignments: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const file of files) Object.assign(variables, readVariables(file));
  for (const assignment of assignments) {
    const [name, value] = splitOnce(assignment);
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw usageError(`"${name}" is not the name of a variable.`, "Write --env NAME=value.");
    const given = value ?? env[name];
    if (given === undefined) throw usageError(`The variable ${name} is not set here.`, "Write --env NAME=value, or set it first.");
    variables[name] = given;
  }
  return variables;
}

function readVariables(file: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(file, "utf8"));
  } catch (error) {
    throw new CliError(`${file} cannot be read: ${(error as Error).message}`, {
      code: "file_unreadable",
      exit: "no_input",
      hint: "--env-file takes a file of NAME=value lines.",
      cause: error,
    });
  }
}

function splitOnce(text: string): [name: string, value?: string] {
  const at = text.indexOf("=");
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
