import { createWriteStream, renameSync, rmSync } from "node:fs";
import { basename } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxGetCommand: Command = defineServerCommand("get", "copy a file out of a sandbox")
  .argument("<sandbox>", "its id")
  .argument("<path>", "the file there")
  .argument("[file]", "where it goes; - is standard output")
  .action(async (id: string, path: string, file: string | undefined, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const { body } = await syla.sandboxes.open(id).files.read(path);
    const content = Readable.fromWeb(body ?? new Blob([]).stream());
    if (file === "-") return await pipeline(content, process.stdout, { end: false });
    const target = file ?? basename(path);
    const partial = `${target}.part-${process.pid}`;
    try {
      await pipeline(content, createWriteStream(partial));
      renameSync(partial, target);
    } catch (cause) {
      rmSync(partial, { force: true });
      throw new CliError(`${target} could not be written.`, {
        code: "cannot_write",
        exit: "cannot_create",
        hint: "Check the folder, and the connection.",
        cause,
      });
    }
    if (flags.json === true) printJson({ path, file: target });
  });
