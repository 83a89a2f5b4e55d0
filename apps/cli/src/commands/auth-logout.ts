import type { Command } from "commander";
import { printJson, printLine } from "../output/print.ts";
import { readCliConfig } from "../settings/config-file.ts";
import { removeProfile } from "../settings/profiles.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authLogoutCommand: Command = defineServerCommand(
  "logout",
  "forget the key of a profile (the key itself stays valid until it is revoked)",
).action((flags: CommonFlags) => {
  const profile = flags.profile ?? readCliConfig(process.env).profile;
  const removed = removeProfile(process.env, profile);
  if (flags.json === true) printJson({ profile, removed });
  else printLine(removed ? `Forgot the key of profile ${profile}.` : `There is no key to forget: profile ${profile} has none.`);
});
