import type { Command } from "commander";
import { connect } from "../connection.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { findEnvironment } from "../programs/find-environment.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const environmentImageShowCommand: Command = defineServerCommand(
  "show",
  "show the image of an environment: its digest and where it was pushed to",
)
  .argument("<environment>", "its id, or a program that has it")
  .action(async (text: string, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const image = await syla.environments.images.get((await findEnvironment(syla, text)).id);
    if (flags.json === true) return printJson(image);
    const { reference, digest } = image;
    printFields([
      ["state", image.phase === null ? image.state : `${image.state} (${image.phase})`],
      ["image", image.imageId ?? "-"],
      ["pushed as", reference === null ? "-" : plainLine(reference)],
      ["pull", reference === null || digest === null ? "-" : plainLine(`${reference.replace(/:[^:/]*$/, "")}@${digest}`)],
      ["size", image.size === null ? "-" : formatBytes(image.size)],
      ["builder", plainLine(image.builder.fix === null ? image.builder.detail : `${image.builder.detail}. ${image.builder.fix}`)],
      ["registry", image.repository === null ? "not set up" : plainLine(image.repository)],
    ]);
    if (image.error !== null) printLine(`\n${plainLine(image.error.message)}\n${plainLine(image.error.hint)}`);
  });
