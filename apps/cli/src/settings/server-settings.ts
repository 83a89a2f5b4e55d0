import { join } from "node:path";
import { CliError, usageError } from "../cli-error.ts";
import { didYouMean } from "../did-you-mean.ts";
import { readJsonFile, writeJsonFile } from "./private-file.ts";

type Kind = "text" | "number" | "boolean" | "secret";

/** Settings of the local server that `syla config` may set: the server reads them from its data directory when it starts. */
const serverSettings: Readonly<Record<string, Kind>> = {
  host: "text",
  port: "number",
  publicUrl: "text",
  basePath: "text",
  trustProxy: "text",
  tlsCert: "text",
  tlsKey: "text",
  insecure: "boolean",
  databaseUrl: "secret",
  logLevel: "text",
  workerSlots: "number",
  queueLimit: "number",
  bodyLimit: "number",
  uploadLimit: "number",
  datasetLimit: "number",
  drainSeconds: "number",
};

const settingsFile = (dataDir: string) => join(dataDir, "config.json");

/** What was set. Secrets read as `[secret]`. */
export function readServerSettings(dataDir: string): Readonly<Record<string, string>> {
  const entries = Object.entries(readJsonFile(settingsFile(dataDir)));
  return Object.fromEntries(entries.map(([key, value]) => [key, serverSettings[key] === "secret" ? "[secret]" : String(value)]));
}

/** Refuses a name that is no setting. */
export function checkSettingName(name: string, others: readonly string[]): void {
  const known = [...others, ...Object.keys(serverSettings)];
  if (!known.includes(name))
    throw usageError(`There is no setting "${name}".${didYouMean(name, known)}`, `The settings are ${known.join(", ")}.`);
}

/** Sets one setting, or with null goes back to its default. The server checks the rest when it starts. */
export function writeServerSetting(dataDir: string, name: string, text: string | null): void {
  const { [name]: _, ...rest } = readJsonFile(settingsFile(dataDir));
  writeJsonFile(settingsFile(dataDir), text === null ? rest : { ...rest, [name]: parseSetting(name, text) });
}

function parseSetting(name: string, text: string): string | number | boolean {
  const kind = serverSettings[name];
  if (kind === "number" && /^\d{1,15}$/.test(text)) return Number(text);
  if (kind === "boolean" && (text === "true" || text === "false")) return text === "true";
  if (kind === "text" || kind === "secret") return text;
  const wanted = kind === "number" ? "a whole number" : "true or false";
  throw new CliError(`"${text}" is not a value for ${name}.`, { code: "setting_invalid", exit: "usage", hint: `It takes ${wanted}.` });
}
