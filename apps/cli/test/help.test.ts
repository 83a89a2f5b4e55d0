import type { Command } from "commander";
import { expect, test } from "vitest";
import { buildProgram } from "../src/program.ts";

/** The help of a command and of those below it, as it is printed on 100 columns. */
function helpOf(command: Command, path: readonly string[]): string[] {
  const printed: string[] = [];
  command.configureOutput({ writeOut: (text) => void printed.push(text), getOutHelpWidth: () => 100, getOutHasColors: () => false });
  command.outputHelp();
  const own = `===== ${[...path, command.name()].join(" ")}\n${printed.join("")}`;
  return [own, ...command.commands.flatMap((child) => helpOf(child, [...path, command.name()]))];
}

const program = buildProgram();

test("every command says what it does, what it takes, and each of its options", async () => {
  await expect(helpOf(program, []).join("\n")).toMatchFileSnapshot("help.snap.txt");
});

test("no command, argument or option is without a word", () => {
  const silent: string[] = [];
  const look = (command: Command, path: string) => {
    if (command.description() === "") silent.push(path);
    for (const option of command.options) if (option.description === "" && !option.hidden) silent.push(`${path} ${option.flags}`);
    for (const child of command.commands) look(child, `${path} ${child.name()}`);
  };
  look(program, "syla");
  expect(silent).toEqual([]);
});
