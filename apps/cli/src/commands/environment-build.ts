import type { Environment, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { createProgress } from "../output/progress.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { findEnvironment } from "../programs/find-environment.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly version?: string;
  readonly upgrade?: boolean;
  readonly again?: boolean;
  readonly detach?: boolean;
}

export const environmentBuildCommand: Command = defineServerCommand("build", "install what a program needs ahead of its first run")
  .argument("<program>", "the program, or the id of an environment")
  .option("--version <version>", "for this version of the program")
  .option("--upgrade", "choose the newest versions that its dependencies allow")
  .option("--again", "also when it is there (administrators)")
  .option("-d, --detach", "do not wait until it is there")
  .action(async (text: string, flags: Flags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { version, upgrade = false } = flags;
    const begun = await findEnvironment(syla, text, { build: true, upgrade, ...(version !== undefined && { version }) });
    if (flags.again === true) await syla.environments.build(begun.id, { again: true });
    const environment = flags.detach === true ? begun : await follow(syla, begun, flags.json !== true);
    if (flags.json === true) printJson(environment);
    else printLine(environment.id);
    if (environment.error === null) return;
    const { message, code, hint } = environment.error;
    throw new CliError(message, { code, exit: "invalid_request", hint });
  });

async function follow(syla: Syla, begun: Environment, print: boolean): Promise<Environment> {
  if (begun.state === "ready") return begun;
  const progress = createProgress();
  try {
    for await (const event of syla.environments.events(begun.id)) {
      if (event.type === "end") return event.environment;
      if (event.type === "phase") progress.show(`${event.phase ?? "waiting"} …`);
      else if (print) process.stderr.write(plainText(event.text));
    }
  } finally {
    progress.clear();
  }
  return await syla.environments.get(begun.id);
}
