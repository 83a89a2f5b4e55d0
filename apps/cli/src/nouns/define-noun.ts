import { Command } from "commander";

/** What verbs are about, as a command. */
export function defineNoun(name: string, summary: string, verbs: readonly Command[]): Command {
  return verbs.reduce((parent, verb) => parent.addCommand(verb), new Command(name).description(summary).enablePositionalOptions());
}
