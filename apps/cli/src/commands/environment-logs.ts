import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { plainText } from "../output/terminal-text.ts";
import { findEnvironment } from "../programs/find-environment.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const environmentLogsCommand: Command = defineServerCommand("logs", "print what was said while an environment was built")
  .argument("<environment>", "its id, or a program that has it")
  .option("-f, --follow", "go on until the build has ended")
  .action(async (text: string, flags: CommonFlags & { readonly follow?: boolean }) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { id } = await findEnvironment(syla, text);
    if (flags.follow === true && flags.json !== true) {
      for await (const event of syla.environments.events(id)) if (event.type === "log") process.stdout.write(plainText(event.text));
      return;
    }
    const log = await (await syla.environments.log(id)).text();
    if (flags.json === true) printJson({ environmentId: id, log });
    else process.stdout.write(plainText(log));
  });
