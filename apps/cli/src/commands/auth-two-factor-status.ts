import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const authTwoFactorStatusCommand: Command = defineServerCommand(
  "status",
  "whether sign-in asks for a code, and how many recovery codes are left",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const state = await syla.me.twoFactor.get();
  if (flags.json === true) return printJson(state);
  printFields([
    ["second factor", state.enabled ? "on" : "off"],
    ["recovery codes left", String(state.recoveryCodesLeft)],
  ]);
});
