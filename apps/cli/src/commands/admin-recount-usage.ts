import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const adminRecountUsageCommand: Command = defineServerCommand(
  "recount-usage",
  "count anew what runs and calls of models came to, from what is there",
).action(async (flags: CommonFlags) => {
  const { syla } = await connect({ env: process.env, profile: flags.profile });
  const recounted = await syla.usage.recount();
  if (flags.json === true) return printJson(recounted);
  printLine(recounted.differing === 0 ? "Everything was counted right." : `${recounted.differing} counts were others, and are right now.`);
});
