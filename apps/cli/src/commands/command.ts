import { Command, Help, Option } from "commander";

/** Flags that every command has. */
export interface CommonFlags {
  readonly json?: boolean;
  readonly profile?: string;
}

const help = new Help();

/** That an option which may be given several times is not given tells nobody anything. */
function describeOption(option: Option): string {
  return help.optionDescription(option).replace(/ \(default: \[\]\)$/, "");
}

/** A command of the CLI: every one prints JSON when asked to. */
export function defineCommand(name: string, summary: string): Command {
  const command = new Command(name).description(summary).configureHelp({ optionDescription: describeOption });
  return command.option("--json", "print one JSON document on stdout");
}

/** A command that talks to a server. */
export function defineServerCommand(name: string, summary: string): Command {
  return defineCommand(name, summary).addOption(new Option("--profile <name>", "use the server of this profile (`local`: this machine's)"));
}

/** For options that may be given several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
