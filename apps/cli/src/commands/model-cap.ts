import type { Model, SpendCap, Syla } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { findModel } from "../models/find-model.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

const whom = "an e-mail address, a team's name, the first characters of a link, a grant's id, or public";

/** What may be spent on a model, and has been. */
export const modelCapListCommand: Command = defineServerCommand("list", "list what others may spend on a model, and have")
  .argument("<model>", "its id, slug or name")
  .action(async (word: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { caps } = await syla.models.usage((await findModel(syla, word)).id);
    if (flags.json === true) return printJson({ items: caps });
    printTable<SpendCap>(
      [
        { title: "cap of", value: ({ name }) => plainLine(name) },
        { title: "amount", value: ({ amount }) => dollars(amount), align: "right" },
        { title: "period", value: ({ period }) => period },
        { title: "spent", value: ({ spent }) => dollars(spent), align: "right" },
        { title: "held", value: ({ held }) => dollars(held), align: "right" },
        { title: "counted anew", value: ({ resetsAt }) => resetsAt?.slice(0, 16).replace("T", " ") ?? "never" },
        { title: "subject", value: ({ subject }) => subject },
      ],
      caps,
    );
  });

interface SetFlags extends CommonFlags {
  readonly amount: number;
  readonly period: "day" | "month" | "total";
}

export const modelCapSetCommand: Command = defineServerCommand("set", "set what somebody may spend on a model")
  .argument("<model>", "its id, slug or name")
  .argument("<whom>", whom)
  .addOption(new Option("--amount <dollars>", "US dollars").argParser(readAmount).makeOptionMandatory())
  .addOption(
    new Option("--period <period>", "counted anew each day, each month, or never").choices(["day", "month", "total"]).default("month"),
  )
  .action(async (word: string, name: string, { amount, period, ...flags }: SetFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const model = await findModel(syla, word);
    const cap = await syla.models.setCap(model.id, await findSubject(syla, model, name), { amount, period });
    if (flags.json === true) printJson(cap);
    else printLine(`${plainLine(cap.name)} may spend ${dollars(cap.amount)} ${period === "total" ? "in all" : `a ${period}`}.`);
  });

export const modelCapRemoveCommand: Command = defineServerCommand("remove", "let somebody spend on a model without a cap")
  .argument("<model>", "its id, slug or name")
  .argument("<whom>", whom)
  .action(async (word: string, name: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const model = await findModel(syla, word);
    const subject = await findSubject(syla, model, name);
    await syla.models.removeCap(model.id, subject);
    if (flags.json === true) printJson({ subject });
    else printLine("The cap is removed.");
  });

/** Whose cap is meant: a grant's id, or `public`. */
async function findSubject(syla: Syla, { id: resourceId }: Model, name: string): Promise<string> {
  if (name === "public") return name;
  const found: string[] = [];
  for await (const { id, subject } of syla.sharing.grants({ resourceType: "asset", resourceId }))
    if (id === name || subject.name.toLowerCase() === name.toLowerCase()) found.push(id);
  const [one, ...others] = found;
  if (one === undefined) throw usageError(`Nothing was granted to "${plainLine(name)}".`, "Share the model first: with the level `run`.");
  if (others.length > 0) throw usageError(`Several grants are for "${plainLine(name)}".`, `Give the id of one: ${found.join(", ")}.`);
  return one;
}

function readAmount(text: string): number {
  const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (!(value <= 1_000_000)) throw usageError(`"${text}" is not an amount.`, "Give US dollars, e.g. 5 or 0.50.");
  return value;
}
