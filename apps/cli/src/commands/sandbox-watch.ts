import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly flat?: true;
}

export const sandboxWatchCommand: Command = defineServerCommand("watch", "tell what changes in a folder of a sandbox, until Ctrl+C")
  .argument("<sandbox>", "its id")
  .argument("[path]", "the folder", "/workspace")
  .option("--flat", "not in the folders below it")
  .action(async (id: string, path: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    for await (const event of syla.sandboxes.open(id).files.watch(path, { recursive: flags.flat !== true })) {
      if (event.type === "ready") {
        note(`watching ${path}`);
        continue;
      }
      for (const change of event.changes) {
        if (flags.json === true) printJson(change);
        else printLine(`${change.type}\t${plainLine(change.path)}${change.folder ? "/" : ""}`);
      }
      if (event.overflow) note("more has changed than is told: look again");
    }
    note("the sandbox has ended, or was paused");
  });
