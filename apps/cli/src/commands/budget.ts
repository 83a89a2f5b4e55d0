import { type Budget, type Syla, SylaError } from "@syla/sdk";
import { Argument, type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { dollars } from "../models/dollars.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findProgram } from "../programs/find-program.ts";
import { findOwner, ownerOptions } from "../teams/find-owner.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { findUser } from "./find-user.ts";

interface OwnerFlags extends CommonFlags {
  readonly team?: string;
  readonly system?: boolean;
  readonly user?: string;
}

function withOwner(command: Command, ofTeam: string, ofSystem: string, ofUser: string): Command {
  for (const option of ownerOptions(ofTeam, ofSystem)) command.addOption(option);
  return command.option("--user <user>", ofUser);
}

/** The id of whose budget is meant; undefined: of whoever gives the command. */
async function readOwner(syla: Syla, { user, ...flags }: OwnerFlags): Promise<string | undefined> {
  const owner = await findOwner(syla, flags);
  if (user === undefined) return owner;
  if (owner !== undefined) throw usageError("It is of one of them.", "Give --user, --team or --system.");
  return (await findUser(syla, user)).id;
}

export const budgetListCommand: Command = withOwner(
  defineServerCommand("list", "list what is meant to be spent on models in a month, and has been"),
  "of this team; yours and those of your teams when left out",
  "of the installation (administrators)",
  "of this account (administrators)",
)
  .option("--all", "of everybody (administrators)")
  .action(async (flags: OwnerFlags & { readonly all?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const owner = flags.all === true ? "all" : await readOwner(syla, flags);
    const items: Budget[] = [];
    for await (const budget of syla.budgets.list(owner === undefined ? {} : { owner })) items.push(budget);
    if (flags.json === true) return printJson({ items });
    printTable<Budget>(
      [
        { title: "id", value: ({ id }) => id },
        { title: "of", value: ({ owner: { name } }) => plainLine(name) },
        { title: "program", value: ({ program }) => (program === null ? "any" : plainLine(program.name ?? program.id)) },
        { title: "amount", value: ({ amount }) => dollars(amount), align: "right" },
        { title: "spent", value: ({ spent }) => dollars(spent), align: "right" },
        { title: "held", value: ({ held }) => dollars(held), align: "right" },
        { title: "then", value: ({ stops }) => (stops ? "stops" : "warns") },
        { title: "state", value: ({ state }) => state },
        { title: "counted anew", value: ({ resetsAt }) => resetsAt.slice(0, 16).replace("T", " ") },
      ],
      items,
    );
  });

interface SetFlags extends OwnerFlags {
  readonly program?: string;
  readonly stop?: boolean;
}

export const budgetSetCommand: Command = withOwner(
  defineServerCommand("set", "say how much may be spent on models in a month; at 80 % and at all of it you are told"),
  "of a team that you own",
  "of the installation (administrators)",
  "of this account (administrators)",
)
  .addArgument(new Argument("<dollars>", "US dollars a month").argParser(readAmount))
  .option("--program <program>", "only of calls by this program")
  .addOption(new Option("--stop", "refuse calls that could pass it"))
  .action(async (amount: number, flags: SetFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const ownerId = (await readOwner(syla, flags)) ?? (await syla.me.get()).id;
    const programId = flags.program === undefined ? null : (await findProgram(syla, flags.program)).id;
    const stops = flags.stop === true;
    const budget = await syla.budgets.create({ ownerId, programId, amount, stops }).catch(async (error: unknown) => {
      const known = error instanceof SylaError && error.code === "conflict" ? await findBudget(syla, ownerId, programId) : undefined;
      if (known === undefined) throw error;
      return await syla.budgets.update(known.id, { amount, stops });
    });
    if (flags.json === true) return printJson(budget);
    printLine(
      `${budget.id}: ${dollars(budget.amount)} a month of ${plainLine(budget.owner.name)}, ${dollars(budget.spent)} spent; then it ${stops ? "stops" : "warns"}.`,
    );
  });

export const budgetRemoveCommand: Command = defineServerCommand("remove", "take a budget away")
  .argument("<id>", "its id: `syla budget list` shows it")
  .action(async (id: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    await syla.budgets.delete(id);
    if (flags.json === true) printJson({ id });
    else printLine("The budget is removed.");
  });

/** The same budget as it is now, if it is theirs to change; of an administrator's and the person's own the first. */
async function findBudget(syla: Syla, ownerId: string, programId: string | null): Promise<Budget | undefined> {
  let own: Budget | undefined;
  for await (const budget of syla.budgets.list({ owner: ownerId })) {
    if ((budget.program?.id ?? null) !== programId || !budget.mayManage) continue;
    if (budget.isImposed) return budget;
    own = budget;
  }
  return own;
}

function readAmount(text: string): number {
  const value = /^\d{1,9}(\.\d{1,2})?$/.test(text) ? Number(text) : 0;
  if (value <= 0) throw usageError(`"${text}" is not an amount.`, "Give US dollars, e.g. 50 or 0.50.");
  return value;
}
