import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

/** `syla runs pin` and `syla runs unpin`. */
export function defineRunsPinCommand(pinned: boolean): Command {
  const summary = pinned ? "keep a run's log and artifacts for good" : "keep a run's log and artifacts only as long as those of others";
  return defineServerCommand(pinned ? "pin" : "unpin", summary)
    .argument("<run>", "its id")
    .action(async (id: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const run = await syla.runs.setPinned(id, pinned);
      if (flags.json === true) printJson(run);
      else printLine(`${run.id} is ${pinned ? "kept" : "not kept any more"}`);
    });
}
