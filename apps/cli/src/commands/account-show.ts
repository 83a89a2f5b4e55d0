import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const accountShowCommand: Command = defineServerCommand("show", "what is known of you").action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const me = await syla.me.get();
  if (flags.json === true) return printJson(me);
  printFields([
    ["id", me.id],
    ["name", plainLine(me.name)],
    ["e-mail", me.email === null ? "-" : `${plainLine(me.email)}${me.emailVerified ? "" : " (not confirmed)"}`],
    ["role", me.role],
    ["time zone", plainLine(me.timeZone)],
    ["second factor", me.twoFactor ? "on" : "off"],
    ["since", me.createdAt.slice(0, 10)],
  ]);
});
