import { openAsBlob, statSync } from "node:fs";
import { basename } from "node:path";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson } from "../output/print.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

export const sandboxPutCommand: Command = defineServerCommand("put", "copy a file into a sandbox")
  .argument("<sandbox>", "its id")
  .argument("<file>", "the file here")
  .argument("[path]", "where it goes: a path, or a folder with / at its end (/workspace/)")
  .action(async (id: string, file: string, path: string | undefined, flags: CommonFlags) => {
    const { syla } = await connect({ env: process.env, profile: flags.profile });
    const target = path === undefined || path.endsWith("/") ? `${path ?? ""}${basename(file)}` : path;
    const { content, mode } = await readFile(file);
    const saved = await syla.sandboxes.open(id).files.write(target, content, { mode });
    if (flags.json === true) printJson(saved);
  });

async function readFile(file: string): Promise<{ content: Blob; mode: string }> {
  try {
    const mode = (statSync(file).mode & 0o777).toString(8).padStart(3, "0");
    return { content: await openAsBlob(file), mode };
  } catch (cause) {
    throw new CliError(`${file} cannot be read.`, { code: "file_unreadable", exit: "no_input", hint: "Check the path.", cause });
  }
}
