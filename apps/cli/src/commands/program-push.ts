import { resolve } from "node:path";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findProgram } from "../programs/find-program.ts";
import { readLink } from "../programs/link-file.ts";
import { pull } from "../programs/pull.ts";
import { push } from "../programs/push.ts";
import { noteSecrets, withSecretOptions, type SecretFlags } from "../programs/secret-files.ts";
import { configureProgram } from "../project/program-config.ts";
import { loadOwnProject, type ProjectFlags } from "../project/use-project.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags {
  readonly folder: string;
  readonly force?: boolean;
}

export const programPushCommand: Command = withSecretOptions(
  defineServerCommand("push", "make a program's files those of a folder; only what is missing is sent"),
)
  .argument("[program]", "its id, slug or name; the one of the folder when left out")
  .option("-C, --folder <folder>", "the folder", ".")
  .option("-f, --force", "also when the program has been changed since")
  .option("--no-project", "do not have it run as .syla.yml says")
  .action(async (word: string | undefined, flags: Flags & SecretFlags & ProjectFlags) => {
    const project = await loadOwnProject(flags, flags.folder);
    const { syla, target, folder, link, program } = await open(word, flags);
    const sent = await push(syla, target.url, folder, program, { ...flags, link, force: flags.force === true });
    const pushed = project === null ? sent : { ...sent, program: await configureProgram(syla, project, sent.program) };
    noteSecrets(pushed.leftOut);
    if (flags.json === true) return printJson({ ...pushed, program: { id: pushed.program.id, revision: pushed.program.revision } });
    printPaths("+", pushed.written);
    printPaths("-", pushed.deleted);
    const isConfigured = pushed.program.revision !== sent.program.revision;
    if (isConfigured) printLine("It is run as .syla.yml says from now on.");
    if (pushed.written.length + pushed.deleted.length === 0) return isConfigured ? undefined : printLine("Nothing differs.");
    printLine(`Revision ${pushed.program.revision}; ${pushed.sentFiles} files, ${pushed.sentBytes} bytes sent.`);
  });

export const programPullCommand: Command = defineServerCommand("pull", "make a folder's files those of a program")
  .argument("[program]", "its id, slug or name; the one of the folder when left out")
  .option("-C, --folder <folder>", "the folder", ".")
  .option("-f, --force", "also over files that were changed here")
  .option("--at <version>", "a published version; what is there now when left out")
  .action(async (word: string | undefined, flags: Flags & { readonly at?: string }) => {
    const { syla, target, folder, link, program } = await open(word, flags);
    const pulled = await pull(syla, target.url, folder, program, { link, force: flags.force === true, version: flags.at });
    if (flags.json === true) return printJson({ ...pulled, program: { id: pulled.program.id, revision: pulled.program.revision } });
    printPaths("+", pulled.written);
    printPaths("-", pulled.deleted);
    printLine(pulled.written.length + pulled.deleted.length === 0 ? "Nothing differs." : `Revision ${pulled.program.revision}.`);
  });

async function open(word: string | undefined, flags: Flags) {
  const { syla, target } = await connect({ env: process.env, profile: flags.profile });
  const folder = resolve(flags.folder);
  const link = readLink(folder, target.url);
  const wanted = word ?? link?.id;
  if (wanted === undefined)
    throw usageError("This folder belongs to no program of this server.", "Name the program, or make one with `syla program create NAME`.");
  return { syla, target, folder, link, program: await findProgram(syla, wanted) };
}

function printPaths(sign: string, paths: readonly string[]): void {
  for (const path of paths) printLine(`${sign} ${plainLine(path)}`);
}
