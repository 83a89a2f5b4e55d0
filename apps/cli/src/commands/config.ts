import { Command } from "commander";
import { findRunningServer } from "../local-server/server-file.ts";
import { note } from "../output/progress.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { readCliConfig } from "../settings/config-file.ts";
import { defaultDataDir } from "../settings/home.ts";
import { selectProfile } from "../settings/profiles.ts";
import { checkSettingName, readServerSettings, writeServerSetting } from "../settings/server-settings.ts";
import { type CommonFlags, defineCommand } from "./command.ts";

/** Every setting that has a value, secrets masked. */
function readSettings(): Record<string, string> {
  return { profile: readCliConfig(process.env).profile, ...readServerSettings(defaultDataDir(process.env)) };
}

function restartNote(name: string): void {
  if (name !== "profile" && findRunningServer(defaultDataDir(process.env)) !== null)
    note("the running server takes it up when it is started again");
}

const list = defineCommand("list", "show what is set").action((flags: CommonFlags) => {
  const settings = readSettings();
  if (flags.json === true) printJson(settings);
  else printFields(Object.entries(settings));
});

const get = defineCommand("get", "show one setting; an empty line when it has its default")
  .argument("<name>")
  .action((name: string, flags: CommonFlags) => {
    checkSettingName(name, ["profile"]);
    const value = readSettings()[name] ?? null;
    if (flags.json === true) printJson({ [name]: value });
    else printLine(value ?? "");
  });

const set = defineCommand("set", "change one setting: `profile`, or an option of the local server")
  .argument("<name>")
  .argument("<value>")
  .action((name: string, value: string, flags: CommonFlags) => {
    checkSettingName(name, ["profile"]);
    if (name === "profile") selectProfile(process.env, value);
    else writeServerSetting(defaultDataDir(process.env), name, value);
    restartNote(name);
    if (flags.json === true) printJson({ [name]: readSettings()[name] ?? null });
  });

const unset = defineCommand("unset", "go back to the default of one setting")
  .argument("<name>")
  .action((name: string, flags: CommonFlags) => {
    checkSettingName(name, ["profile"]);
    if (name === "profile") selectProfile(process.env, "local");
    else writeServerSetting(defaultDataDir(process.env), name, null);
    restartNote(name);
    if (flags.json === true) printJson({ [name]: readSettings()[name] ?? null });
  });

export const configCommand = new Command("config")
  .description("settings of the command line and of the local server")
  .addCommand(list)
  .addCommand(get)
  .addCommand(set)
  .addCommand(unset);
