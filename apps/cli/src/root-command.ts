import { Command } from "commander";
import { readVersion } from "./local-server/installation.ts";

/** Variables that every command reads; the manual page has them too. */
export const environmentVariables: readonly (readonly [names: string, summary: string])[] = [
  ["SYLA_URL, SYLA_API_KEY", "the server to use, and the key to it"],
  ["SYLA_PROFILE", "the profile to use (as --profile)"],
  ["SYLA_HOME", "the folder of everything that Syla writes (~/.syla)"],
];

const widest = Math.max(...environmentVariables.map(([names]) => names.length));
const environmentHelp = `
Environment:
${environmentVariables.map(([names, summary]) => `  ${names.padEnd(widest)}   ${summary}`).join("\n")}

Exit codes: docs/cli.md`;

/** `syla` itself, without its commands. */
export function defineRoot(): Command {
  return new Command("syla")
    .description("Runs programs in sandboxes, on this machine or on a server.")
    .version(readVersion(), "-V, --version")
    .enablePositionalOptions()
    .addHelpText("after", environmentHelp);
}
