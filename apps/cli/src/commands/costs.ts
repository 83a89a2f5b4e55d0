import type { UsageGroups } from "@syla/sdk";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { readFirstDay, readUsageFilters, type UsageFilterFlags } from "./usage.ts";

interface Flags extends CommonFlags, UsageFilterFlags {
  readonly by: "day" | "model" | "program" | "team" | "user";
}

type Figures = UsageGroups["total"];

export const costsCommand: Command = defineServerCommand("costs", "what calls of models have cost, and what it comes to")
  .addOption(new Option("--by <what>", "a line for each").choices(["day", "model", "program", "team", "user"]).default("day"))
  .option("--user <id>", "of this person, or `all` (administrators; with --team its owners)")
  .option("--team <team>", "only what was used for this team")
  .option("--program <program>", "only of this program")
  .option("--model <model>", "only calls of this model")
  .option("--from <day>", "first day: 2026-03-01; 30 days ago by default")
  .option("--since <days>", "the same, as days until today: 7d, 4w")
  .option("--to <day>", "last day; today by default")
  .action(async (flags: Flags) => {
    const from = readFirstDay(flags);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { by, user, to } = flags;
    const costs = await syla.usage.groups({ by, user, from, to, ...(await readUsageFilters(syla, flags)) });
    if (flags.json === true) return printJson(costs);
    // what was run without a model costs nothing, and would hide what does
    const groups = costs.groups.filter(({ calls }) => calls > 0);
    printTable<UsageGroups["groups"][number]>(
      [
        { title: by, value: ({ key, name }) => (key === "" ? "-" : plainLine(name ?? key)) },
        { title: "calls", value: ({ calls }) => String(calls), align: "right" },
        { title: "tokens in", value: ({ inputTokens }) => String(inputTokens), align: "right" },
        { title: "out", value: ({ outputTokens }) => String(outputTokens), align: "right" },
        { title: "cost", value: describeCost, align: "right" },
      ],
      groups,
    );
    if (!process.stdout.isTTY) return; // lines of one kind in a pipe
    printLine(`${costs.from} to ${costs.to}: ${describeCost(costs.total)} for ${costs.total.calls} calls`);
    if (costs.omitted > 0) printLine(`… and ${costs.omitted} more: \`syla usage --by ${by} --csv\` has all of them`);
  });

/** Calls of models without a price cost what nobody knows. */
function describeCost({ cost, unknownCosts }: Pick<Figures, "cost" | "unknownCosts">): string {
  return dollars(cost) + (unknownCosts > 0 ? " + ?" : "");
}
