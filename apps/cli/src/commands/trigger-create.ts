import { triggerAuths, type TriggerAuth } from "@syla/contracts/triggers";
import { type Command, InvalidArgumentError, Option } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { findProgram } from "../programs/find-program.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly version?: string;
  readonly auth: TriggerAuth;
  readonly input: "stdin" | "file";
  readonly header?: string[];
  readonly rate?: number;
}

export const triggerCreateCommand: Command = defineServerCommand("create", "give a program an address whose calls start runs of it")
  .argument("<program>", "its id, slug or name")
  .option("--name <name>", "what you call it; the name of the program when left out")
  .option("--version <version>", "a published version; the working tree when left out")
  .addOption(new Option("--auth <way>", "how callers prove themselves").choices(triggerAuths).default("standard"))
  .addOption(new Option("--input <way>", "where a run gets the body").choices(["stdin", "file"]).default("stdin"))
  .option("--header <name...>", "headers that a run gets in SYLA_EVENT_HEADERS")
  .option("--rate <count>", "calls a minute", readRate)
  .action(async (word: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const program = await findProgram(syla, word);
    const made = await syla.triggers.create({
      programId: program.id,
      name: flags.name ?? program.name,
      auth: flags.auth,
      input: flags.input,
      ...(flags.version === undefined ? {} : { version: flags.version }),
      ...(flags.header === undefined ? {} : { headers: flags.header }),
      ...(flags.rate === undefined ? {} : { ratePerMinute: flags.rate }),
    });
    if (flags.json === true) return printJson(made);
    printFields([
      ["id", made.id],
      ["url", made.url],
      ["secret", `${made.secret} (shown this once)`],
    ]);
  });

function readRate(text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new InvalidArgumentError("It must be a whole number from 1 to 6000.");
  return Number(text);
}
