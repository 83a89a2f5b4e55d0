import type { LlmCall, ModelUsage } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { findModel } from "../models/find-model.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine, plainText } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";

const known = "its id, slug or name";
const count = (value: number | null) => (value === null ? "-" : String(value));

/** What was spent on a model: by day, person and program. */
export const modelUsageCommand: Command = defineServerCommand("usage", "show what was spent on a model, by day, person and program")
  .argument("<model>", known)
  .addOption(new Option("--days <number>", "how many days back, today included").default(30).argParser(readDays))
  .action(async (word: string, { days, ...flags }: CommonFlags & { readonly days: number }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const usage = await syla.models.usage((await findModel(syla, word)).id, days);
    if (flags.json === true) return printJson(usage);
    const { total } = usage;
    printFields([
      ["calls", `${total.calls}, ${total.failed} failed`],
      ["tokens", `${total.inputTokens} in, of which ${total.cachedTokens} cached, ${total.outputTokens} out`],
      ["cost", `${dollars(total.cost)}${total.unknownCosts > 0 ? `, and ${total.unknownCosts} calls of unknown cost` : ""}`],
    ]);
    for (const [title, rows] of [
      ["day", usage.days.map((day) => ({ ...day, name: day.day }))],
      ["person", usage.people],
      ["program", usage.programs],
    ] as const)
      if (rows.length > 0) printShares(title, rows);
  });

function printShares(title: string, rows: readonly (Omit<ModelUsage["people"][number], "id"> & { readonly name: string })[]): void {
  printLine();
  printTable(
    [
      { title, value: ({ name }) => plainLine(name) },
      { title: "calls", value: ({ calls }) => String(calls), align: "right" },
      { title: "failed", value: ({ failed }) => String(failed), align: "right" },
      { title: "in", value: ({ inputTokens }) => String(inputTokens), align: "right" },
      { title: "out", value: ({ outputTokens }) => String(outputTokens), align: "right" },
      { title: "cost", value: ({ cost }) => dollars(cost), align: "right" },
    ],
    rows,
  );
}

/** Calls of a model, or one with what was said in it. */
export const modelCallsCommand: Command = defineServerCommand(
  "calls",
  "list the calls of a model, newest first: all of them for those who may change it, your own otherwise",
)
  .argument("<model>", known)
  .argument("[call]", "the id of one, to read its prompt and answer where they were kept")
  .option("-n, --limit <number>", "how many, at most 200", "20")
  .action(async (word: string, callId: string | undefined, flags: CommonFlags & { readonly limit: string }) => {
    const limit = parsePageSize(flags.limit);
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findModel(syla, word);
    if (callId !== undefined) {
      const call = await syla.models.call(id, callId);
      if (flags.json === true) return printJson(call);
      printFields([
        ["status", call.status],
        ["who", plainLine(call.user.name)],
        ["tokens", `${count(call.inputTokens)} in, ${count(call.outputTokens)} out`],
        ["cost", dollars(call.cost)],
      ]);
      printLine();
      printLine(call.request === null ? "The prompt was not kept." : plainText(call.request));
      printLine();
      return printLine(call.response === null ? "The answer was not kept." : plainText(call.response));
    }
    const items: LlmCall[] = [];
    for await (const call of syla.models.calls(id)) if (items.push(call) >= limit) break;
    if (flags.json === true) return printJson({ items });
    printTable<LlmCall>(
      [
        { title: "id", value: (call) => call.id },
        { title: "started", value: ({ startedAt }) => startedAt.slice(0, 19).replace("T", " ") },
        { title: "status", value: ({ status, error }) => (error === null ? status : `${status} (${error.code})`) },
        { title: "who", value: ({ user }) => plainLine(user.name) },
        { title: "call", value: ({ protocol, operation, cached }) => `${protocol} ${operation}${cached ? ", from memory" : ""}` },
        { title: "in", value: ({ inputTokens }) => count(inputTokens), align: "right" },
        { title: "out", value: ({ outputTokens }) => count(outputTokens), align: "right" },
        { title: "cost", value: ({ cost }) => dollars(cost), align: "right" },
      ],
      items,
    );
  });

function readDays(text: string): number {
  const value = /^\d{1,3}$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= 1 && value <= 366)) throw usageError(`"${text}" is not a number of days.`, "Give whole days, 1 to 366.");
  return value;
}
