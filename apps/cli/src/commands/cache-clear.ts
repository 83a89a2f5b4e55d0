import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const cacheClearCommand: Command = defineServerCommand("clear", "forget the results that are kept for you")
  .argument("[run]", "only the result that came from this run")
  .action(async (runId: string | undefined, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const cleared = await syla.cache.clear(runId === undefined ? {} : { runId });
    if (flags.json === true) printJson({ cleared });
    else printLine(`${cleared} ${cleared === 1 ? "result" : "results"} forgotten`);
  });
