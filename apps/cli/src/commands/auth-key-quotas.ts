import type { KeyQuota, KeyQuotaInput, KeyQuotaName } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const flagNames = {
  concurrentRuns: "concurrent",
  runsPerDay: "runs-per-day",
  cpuSecondsPerMonth: "cpu-seconds",
  storageMb: "storage-mb",
  executionsPerMinute: "executions-per-minute",
  llmSpendPerMonth: "model-dollars",
} as const satisfies Record<KeyQuotaName, string>;

const labels: Readonly<Record<KeyQuotaName, string>> = {
  concurrentRuns: "runs at once",
  runsPerDay: "runs a day",
  cpuSecondsPerMonth: "CPU seconds a month",
  storageMb: "storage, MB",
  executionsPerMinute: "executions a minute",
  llmSpendPerMonth: "dollars for models a month",
};

type Flags = CommonFlags &
  Readonly<Partial<Record<"concurrent" | "runsPerDay" | "cpuSeconds" | "storageMb" | "executionsPerMinute" | "modelDollars", string>>>;

/** Shows the quotas of a key's own, after changing those that are given. */
export const authKeyQuotasCommand: Command = defineCommand();

function defineCommand(): Command {
  const command = defineServerCommand("key-quotas", "show or set what one API key may use, within your own quotas").argument(
    "<key>",
    "its id (as `auth keys` lists them)",
  );
  for (const [name, flag] of Object.entries(flagNames))
    command.addOption(new Option(`--${flag} <number>`, `${labels[name as KeyQuotaName]}; none: only yours holds`));
  return command.action(async (id: string, flags: Flags) => {
    const input: KeyQuotaInput = {
      ...given("concurrentRuns", flags.concurrent),
      ...given("runsPerDay", flags.runsPerDay),
      ...given("cpuSecondsPerMonth", flags.cpuSeconds),
      ...given("storageMb", flags.storageMb),
      ...given("executionsPerMinute", flags.executionsPerMinute),
      ...given("llmSpendPerMonth", flags.modelDollars),
    };
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const quotas = Object.keys(input).length > 0 ? await syla.quotas.updateKey(id, input) : await syla.quotas.ofKey(id);
    if (flags.json === true) return printJson(quotas);
    printTable<KeyQuota>(
      [
        { title: "quota", value: ({ name }) => labels[name] },
        { title: "limit", value: ({ limit }) => (limit === null ? "none" : String(limit)), align: "right" },
        { title: "used", value: ({ used }) => (used === null ? "-" : String(used)), align: "right" },
        { title: "counted anew", value: ({ resetsAt }) => plainLine(resetsAt?.slice(0, 16).replace("T", " ") ?? "-") },
      ],
      quotas.items,
    );
  });
}

function given(name: KeyQuotaName, text: string | undefined): Partial<Record<KeyQuotaName, number | null>> {
  if (text === undefined) return {};
  if (text === "none") return { [name]: null };
  if (!/^\d{1,10}$/.test(text)) throw usageError(`--${flagNames[name]} takes a whole number, or none.`);
  return { [name]: Number(text) };
}
