import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { loadProgram } from "../src/load-program.ts";
import { buildProgram } from "../src/program.ts";
import { cliEntry } from "./run-cli.ts";

/** The files that are loaded with one, and what they hold together. */
function loadedWith(file: string, seen = new Map<string, string>()): Map<string, string> {
  if (seen.has(file)) return seen;
  const text = readFileSync(file, "utf8");
  seen.set(file, text);
  for (const [, path = ""] of text.matchAll(/^(?:import|export)\b[^;]*?["'](\.[^"']+)["'];?$/gm))
    loadedWith(join(dirname(file), path), seen);
  return seen;
}

/** Where a command that is loaded alone begins. */
function chunkOf(command: string): string {
  const [, path = ""] = new RegExp(`import\\("(\\./chunks/${command}-[^"]+)"\\)`).exec(readFileSync(cliEntry, "utf8")) ?? [];
  return join(dirname(cliEntry), path);
}

const size = (files: Map<string, string>) => [...files.values()].reduce((sum, text) => sum + text.length, 0);

// What is loaded is what a start costs: a measure of time would measure the machine.
test("the version needs little", () => {
  const files = loadedWith(cliEntry);
  expect(files.size).toBeGreaterThan(1);
  expect(size(files)).toBeLessThan(200_000);
});

test.each(["exec", "run", "status", "runs", "sandbox", "team", "workspace", "model", "credential"])(
  "%s is loaded without what the other commands need",
  (command) => {
    const files = loadedWith(chunkOf(command), loadedWith(cliEntry));
    expect(size(files)).toBeLessThan(450_000);
    const texts = [...files.values()];
    for (const other of ["ZodError", "RE2JS", "@clack/core", "YAMLParseError"])
      expect(texts.some((text) => text.includes(`class ${other}`))).toBe(false);
  },
);

test("each command is the same alone, but those that know all others", async () => {
  const { commands } = buildProgram();
  const loaded = await Promise.all(commands.map(async (command) => [command, (await loadProgram([command.name()])).commands] as const));
  const together = loaded.filter(([command, found]) => found.length !== 1 || found[0] !== command);
  expect(together.map(([command]) => command.name())).toEqual(["plugin", "completion"]);
});
