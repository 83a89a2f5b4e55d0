import type { Setting } from "@syla/sdk";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly unset?: boolean;
}

export const adminSettingsCommand: Command = defineServerCommand("settings", "list the settings of the server, or change one while it runs")
  .argument("[name]", "as in config.json, e.g. anonymousLinks")
  .argument("[value]", "what it is from now on")
  .option("--unset", "the default again")
  .action(async (name: string | undefined, value: string | undefined, flags: Flags) => {
    if (flags.unset === true && (name === undefined || value !== undefined))
      throw usageError("--unset takes the name of one setting, and no value.");
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const isChange = name !== undefined && (value !== undefined || flags.unset === true);
    const all = isChange ? await syla.admin.updateSettings({ [name]: value ?? null }) : await syla.admin.settings();
    const shown = name === undefined ? all : all.filter((setting) => setting.name === name);
    if (shown.length === 0) throw usageError(`There is no setting "${name}".`, "`syla admin settings` lists them.");
    if (flags.json === true) return printJson({ items: shown });
    printTable<Setting>(
      [
        { title: "name", value: (setting) => setting.name },
        { title: "value", value: (setting) => plainLine(setting.value ?? (setting.isSet ? "(not shown)" : "-")) },
        { title: "from", value: (setting) => setting.origin },
        { title: "changes", value: (setting) => (setting.isFixed ? "at the next start" : "now") },
      ],
      shown,
    );
  });
