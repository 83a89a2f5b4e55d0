import { Syla } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { checkUrl, findTarget } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { readStdin } from "../runs/read-stdin.ts";
import { localProfile, saveProfile } from "../settings/profiles.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly url?: string;
  readonly apiKey?: string;
}

export const authLoginCommand: Command = defineServerCommand(
  "login",
  "keep the address of a server and a key to it, and use it from now on",
)
  .option("--url <url>", "the server's address")
  .option("--api-key <key>", "the key; without it you are asked, or it is read from a pipe, and does not stay in the shell's history")
  .action(async (flags: Flags) => {
    const profile = flags.profile ?? "default";
    if (profile === localProfile)
      throw usageError("`local` is always the server of this machine; it needs no key.", "Choose another name with --profile.");
    if (!/^[\w.-]{1,64}$/.test(profile))
      throw usageError(`"${plainLine(profile)}" is not a name for a profile.`, "Use letters, digits, dots and dashes.");
    const url = await chooseUrl(flags.url);
    const apiKey = await chooseKey(flags.apiKey);
    const me = await new Syla({ baseUrl: url, apiKey }).me.get();
    saveProfile(process.env, profile, { url, apiKey });
    if (flags.json === true) printJson({ profile, url, user: me });
    else printLine(`Signed in to ${url} as ${plainLine(me.name)} (profile ${profile}).`);
  });

async function chooseUrl(given: string | undefined): Promise<string> {
  if (given !== undefined) return checkUrl(given, "--url");
  if (process.env["SYLA_URL"]) return checkUrl(process.env["SYLA_URL"], "SYLA_URL");
  return (await findTarget({ env: process.env })).url;
}

async function chooseKey(given: string | undefined): Promise<string> {
  const key = (given ?? (process.env["SYLA_API_KEY"] || (await askForKey()))).trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(key))
    throw usageError("That is not an API key.", "Create one in the web pages under Settings → API keys.");
  return key;
}

async function askForKey(): Promise<string> {
  if (!process.stdin.isTTY) return (await readStdin()).toString("utf8");
  const { isCancel, password } = await import("@clack/prompts");
  const answer = await password({ message: "API key (Settings → API keys)" });
  if (isCancel(answer)) process.exit(130);
  return answer ?? "";
}
