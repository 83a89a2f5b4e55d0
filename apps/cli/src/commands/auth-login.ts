import { Syla } from "@syla/sdk";
import type { Command } from "commander";
import { loginWithDevice } from "../accounts/device-login.ts";
import { usageError } from "../cli-error.ts";
import { checkUrl, findTarget } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { readStdin } from "../runs/read-stdin.ts";
import { localProfile } from "../settings/config-file.ts";
import { saveProfile } from "../settings/profiles.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly url?: string;
  readonly apiKey?: string;
  readonly withKey?: boolean;
  readonly device?: boolean;
  readonly browser: boolean;
}

export const authLoginCommand: Command = defineServerCommand(
  "login",
  "sign in to a server in the browser, or with a key, and use it from now on",
)
  .option("--url <url>", "the server's address")
  .option("--api-key <key>", "a key that you have; from a pipe or SYLA_API_KEY it does not stay in the shell's history")
  .option("--with-key", "ask for a key in place of the browser")
  .option("--device", "confirm a code in the browser, also where this is no terminal")
  .option("--no-browser", "show the address, and do not open a browser")
  .action(async (flags: Flags) => {
    const profile = flags.profile ?? "default";
    if (profile === localProfile)
      throw usageError("`local` is always the server of this machine; it needs no key.", "Choose another name with --profile.");
    if (!/^[\w.-]{1,64}$/.test(profile))
      throw usageError(`"${plainLine(profile)}" is not a name for a profile.`, "Use letters, digits, dots and dashes.");
    const url = await chooseUrl(flags.url);
    const apiKey = await chooseKey(url, flags);
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

/** A key that was given or is asked for, else one that a person lets this machine have. */
async function chooseKey(url: string, flags: Flags): Promise<string> {
  const given = flags.apiKey ?? (process.env["SYLA_API_KEY"] || undefined);
  const piped = !process.stdin.isTTY && flags.device !== true;
  if (given === undefined && !piped && flags.withKey !== true) return (await loginWithDevice(url, { browser: flags.browser })).key;
  const key = (given ?? (await askForKey())).trim();
  if (!/^[\x21-\x7e]{1,512}$/.test(key))
    throw usageError("That is not an API key.", "Create one in the web pages under Settings → API keys, or use --device.");
  return key;
}

async function askForKey(): Promise<string> {
  if (!process.stdin.isTTY) return (await readStdin()).toString("utf8");
  const { isCancel, password } = await import("@clack/prompts");
  const answer = await password({ message: "API key (Settings → API keys)" });
  if (isCancel(answer)) process.exit(130);
  return answer ?? "";
}
