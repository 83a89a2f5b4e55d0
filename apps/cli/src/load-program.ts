import type { Command } from "commander";
import { defineRoot } from "./root-command.ts";

/** What is typed most, and scripts start many times: each is loaded alone, without everything that the other commands need. */
const alone: Readonly<Record<string, () => Promise<Command>>> = {
  exec: async () => (await import("./commands/exec.ts")).execCommand,
  run: async () => (await import("./commands/run.ts")).runCommand,
  test: async () => (await import("./commands/test.ts")).testCommand,
  status: async () => (await import("./commands/status.ts")).statusCommand,
  "complete-values": async () => (await import("./commands/complete-values.ts")).completeValuesCommand,
  interactive: async () => (await import("./commands/interactive.ts")).interactiveCommand,
};

/** The commands that these words may mean: one alone, none for the version, else all of them. */
export async function loadProgram([word = ""]: readonly string[]): Promise<Command> {
  if (word === "--version" || word === "-V") return defineRoot();
  const load = Object.hasOwn(alone, word) ? alone[word] : undefined;
  if (load !== undefined) return defineRoot().addCommand(await load());
  return (await import("./program.ts")).buildProgram();
}
