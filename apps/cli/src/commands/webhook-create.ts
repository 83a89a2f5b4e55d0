import { chosenEventTypes, type ChosenEventType } from "@syla/contracts/webhooks";
import { type Command, Option } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson } from "../output/print.ts";
import { findProgram } from "../programs/find-program.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly name?: string;
  readonly event: ChosenEventType[];
  readonly program?: string[];
  readonly status?: ("succeeded" | "failed" | "cancelled" | "timed_out")[];
  readonly team?: string;
}

export const webhookCreateCommand: Command = defineServerCommand(
  "create",
  "have events sent to an address, and print the secret that signs them",
)
  .argument("<url>", "where they are sent to")
  .option("--name <name>", "what you call it; the host of the address when left out")
  .addOption(new Option("--event <type...>", "what it is told of").choices(chosenEventTypes).default(["run.finished"]))
  .option("--program <program...>", "of runs and assets only those of these programs")
  .addOption(
    new Option("--status <status...>", "of runs that have ended only those that ended so").choices([
      "succeeded",
      "failed",
      "cancelled",
      "timed_out",
    ]),
  )
  .option("--team <team>", "of a team that you own")
  .action(async (url: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const programs = await Promise.all((flags.program ?? []).map(async (word) => (await findProgram(syla, word)).id));
    const made = await syla.webhooks.create({
      url,
      name: flags.name ?? (URL.parse(url)?.host || url),
      events: flags.event,
      ...(programs.length === 0 ? {} : { programIds: programs }),
      ...(flags.status === undefined ? {} : { runStatuses: flags.status }),
      ...(flags.team === undefined ? {} : { ownerId: (await findTeam(syla, flags.team)).id }),
    });
    if (flags.json === true) return printJson(made);
    printFields([
      ["id", made.id],
      ["secret", `${made.secret} (shown this once)`],
    ]);
  });
