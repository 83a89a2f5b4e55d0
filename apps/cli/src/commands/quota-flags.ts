import type { QuotaName } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";

const flagNames = {
  concurrentRuns: "concurrent",
  runsPerDay: "runs-per-day",
  cpuSecondsPerMonth: "cpu-seconds",
  storageMb: "storage-mb",
  executionsPerMinute: "executions-per-minute",
  llmSpendPerMonth: "model-dollars",
} as const satisfies Record<QuotaName, string>;

/** What people call each quota. */
export const quotaLabels: Readonly<Record<QuotaName, string>> = {
  concurrentRuns: "runs at once",
  runsPerDay: "runs a day",
  cpuSecondsPerMonth: "CPU seconds a month",
  storageMb: "storage, MB",
  executionsPerMinute: "executions a minute",
  llmSpendPerMonth: "dollars for models a month",
};

/** The flags of a command that changes quotas. */
export type QuotaFlags = Readonly<
  Partial<Record<"concurrent" | "runsPerDay" | "cpuSeconds" | "storageMb" | "executionsPerMinute" | "modelDollars", string>>
>;

/** A word in place of a number, and what it means on the wire. */
export type QuotaWords = Readonly<Record<string, number | null>>;

/** Adds a flag for each quota; `others` says which words it takes besides a number. */
export function addQuotaFlags(command: Command, others: string): Command {
  for (const [name, flag] of Object.entries(flagNames))
    command.addOption(new Option(`--${flag} <number>`, `${quotaLabels[name as QuotaName]}; ${others}`));
  return command;
}

/** The quotas that flags change. @throws CliError */
export function readQuotaFlags(flags: QuotaFlags, words: QuotaWords): Partial<Record<QuotaName, number | null>> {
  const given: Readonly<Record<QuotaName, string | undefined>> = {
    concurrentRuns: flags.concurrent,
    runsPerDay: flags.runsPerDay,
    cpuSecondsPerMonth: flags.cpuSeconds,
    storageMb: flags.storageMb,
    executionsPerMinute: flags.executionsPerMinute,
    llmSpendPerMonth: flags.modelDollars,
  };
  const read = ([name, text]: [string, string | undefined]) =>
    text === undefined ? [] : [[name, readNumber(text, flagNames[name as QuotaName], words)]];
  return Object.fromEntries(Object.entries(given).flatMap(read)) as Partial<Record<QuotaName, number | null>>;
}

function readNumber(text: string, flag: string, words: QuotaWords): number | null {
  const word = Object.hasOwn(words, text) ? words[text] : undefined;
  if (word !== undefined) return word;
  if (!/^\d{1,10}$/.test(text)) throw usageError(`--${flag} takes a whole number, or ${Object.keys(words).join(" or ")}.`);
  return Number(text);
}
