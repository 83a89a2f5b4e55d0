import { resolve } from "node:path";
import type { Command } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printJson, printLine } from "../output/print.ts";
import { readLocalTree } from "../programs/local-tree.ts";
import { lookAt, remember, sendContents } from "../programs/push.ts";
import { findSecrets, noteSecrets, withSecretOptions, type SecretFlags } from "../programs/secret-files.ts";
import { configureProgram } from "../project/program-config.ts";
import { loadOwnProject, type ProjectFlags } from "../project/use-project.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, SecretFlags, ProjectFlags {
  readonly description?: string;
  readonly tag?: string;
  readonly team?: string;
  readonly language?: string;
  readonly entrypoint?: string;
}

export const programCreateCommand: Command = withSecretOptions(
  defineServerCommand("create", "make a program of a folder, and print its id"),
)
  .argument("[name]", "what people call it; what .syla.yml says when left out")
  .argument("[folder]", "its files", ".")
  .option("-d, --description <text>", "what it does")
  .option("-t, --tag <tags>", "tags (comma separated)")
  .option("--team <team>", "a team of yours that owns it: its id, slug or name")
  .option("-l, --language <name>", "its language, with --entrypoint; guessed when left out")
  .option("-e, --entrypoint <path>", "the file to start, with --language; guessed when left out")
  .option("--no-project", "do not look for a .syla.yml")
  .action(async (word: string | undefined, folder: string, flags: Flags) => {
    const project = await loadOwnProject(flags, folder);
    const name = word ?? project?.settings.name;
    if (name === undefined) throw usageError("The program has no name.", "Name it, or write `name` into .syla.yml.");
    const { syla, target } = await connect({ env: process.env, profile: flags.profile });
    const root = resolve(folder);
    const found = await readLocalTree(root);
    const ownerId = flags.team === undefined ? undefined : (await findTeam(syla, flags.team)).id;
    await sendContents(syla, root, found);
    const secrets = await findSecrets(syla, found, flags);
    noteSecrets(secrets);
    const entries = found.filter((entry) => secrets.every(({ path }) => path !== entry.path));
    const created = await syla.assets.create({
      type: "program",
      name,
      files: entries.map(({ path, sha256, executable }) => ({ path, blob: sha256, executable })),
      ...(flags.description === undefined ? {} : { description: flags.description }),
      ...(flags.tag === undefined ? {} : { tags: flags.tag.split(",").map((tag) => tag.trim()) }),
      ...(ownerId === undefined ? {} : { ownerId }),
      ...(flags.language !== undefined && flags.entrypoint !== undefined
        ? { config: { runtime: flags.language, entrypoint: flags.entrypoint } }
        : {}),
    });
    const program = project === null ? created : await configureProgram(syla, project, created);
    await lookAt(syla, program.id);
    remember(target.url, root, program, entries);
    if (flags.json === true) printJson(program);
    else printLine(program.id);
  });
