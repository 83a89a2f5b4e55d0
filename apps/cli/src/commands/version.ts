import type { Command } from "commander";
import { readVersion } from "../local-server/installation.ts";
import { printJson, printLine } from "../output/print.ts";
import { defineCommand } from "./command.ts";

export const versionCommand: Command = defineCommand("version", "the version of this installation").action((flags: { json?: boolean }) => {
  const version = { version: readVersion(), node: process.versions.node, platform: `${process.platform}-${process.arch}` };
  if (flags.json === true) printJson(version);
  else printLine(`syla ${version.version} (Node ${version.node}, ${version.platform})`);
});
