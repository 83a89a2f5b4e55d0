import { Command } from "commander";
import { readVersion } from "./local-server/installation.ts";

const environmentHelp = `
Environment:
  SYLA_URL, SYLA_API_KEY   the server to use, and the key to it
  SYLA_PROFILE             the profile to use (as --profile)
  SYLA_HOME                the folder of everything that Syla writes (~/.syla)

Exit codes: docs/cli.md`;

/** `syla` itself, without its commands. */
export function defineRoot(): Command {
  return new Command("syla")
    .description("Runs programs in sandboxes, on this machine or on a server.")
    .version(readVersion(), "-V, --version")
    .enablePositionalOptions()
    .addHelpText("after", environmentHelp);
}
