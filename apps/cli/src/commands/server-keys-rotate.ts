import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const serverKeysRotateCommand: Command = defineServerCommand(
  "rotate",
  "seal every credential with a new key, or move it to the key service that is set up (administrators); goes on with a change that was cut off",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const rotation = await syla.credentials.rotateKeys();
  if (flags.json === true) return printJson(rotation);
  printLine(`${rotation.rewrapped} credentials are sealed with ${rotation.keyId}.`);
  for (const id of rotation.unreadable) printLine(`The credential ${id} cannot be opened: replace its value.`);
  for (const id of rotation.retired) printLine(`The key ${id} is gone.`);
});
