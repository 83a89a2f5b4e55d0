import type { Import, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { CliError, usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFileDiff } from "../output/file-diff.ts";
import { printFields, printJson, printLine } from "../output/print.ts";
import { createProgress, note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatBytes } from "../output/units.ts";
import { readSource, type SourceFlags } from "../programs/import-source.ts";
import { noteSecrets, withSecretOptions, type SecretFlags } from "../programs/secret-files.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";

interface Flags extends CommonFlags, SecretFlags, SourceFlags {
  readonly name?: string;
  readonly entrypoint?: string;
  readonly language?: string;
  readonly into?: string;
  readonly publish?: string;
  readonly model?: string;
  readonly team?: string;
  readonly yes?: boolean;
}

const most = 20;

export const programImportCommand: Command = withSecretOptions(defineServerCommand("import", "bring a program into the catalog"))
  .argument(
    "[source]",
    "a folder, a file or an archive here; a git repository (address or owner/name); template:NAME; a program's id; with --into, where that program came from",
  )
  .option("--ref <name>", "the branch, tag or commit of a repository")
  .option("--path <folder>", "take this folder of it alone")
  .option("--credential <credential>", "lets a private repository be read; `none` for none")
  .option("--model <model>", "the model that it is bound to")
  .option("--team <team>", "a team of yours that owns it")
  .option("--name <name>", "what to call it")
  .option("--entrypoint <file>", "the file that is run")
  .option("--language <name>", "of that file")
  .option("--into <program>", "replace the files of this program")
  .option("--publish <version>", "publish it at once")
  .option("-y, --yes", "do not ask")
  .addHelpText(
    "after",
    "\nFor a private repository name a credential of the kind git, or put a token into SYLA_GIT_TOKEN; it is used once and not stored.",
  )
  .action(importProgram);

async function importProgram(text: string | undefined, given: Flags): Promise<void> {
  const { syla } = await connect({ env: process.env, profile: given.profile });
  const ownerId = given.team === undefined ? undefined : (await findTeam(syla, given.team)).id;
  const { word, flags } = text === undefined ? await sameSource(syla, given) : { word: text, flags: given };
  const source = await readSource(syla, word, flags, process.env["SYLA_GIT_TOKEN"] || undefined);
  const begun = await syla.imports.create({ source, ...(flags.into !== undefined && { assetId: flags.into }) });
  const found = await follow(syla, begun.id);
  if (found.state !== "review") throw failed(found);
  const choice = confirmationOf(flags, found, source.kind !== "git");
  const left = new Set(choice.leaveOut ?? found.suggestion?.leaveOut);
  if (flags.json !== true) noteSecrets(found.secrets.filter(({ path }) => left.has(path)));
  if (flags.yes !== true) {
    if (flags.json !== true) {
      printReview(found);
      if (found.diff !== null) (await syla.imports.diff(found.id)).files.slice(0, most).forEach(printFileDiff);
    }
    if (!(await isWanted(flags))) return await leave(syla, found, flags);
  }
  const asset = await syla.imports.confirm(found.id, {
    ...choice,
    ...(ownerId !== undefined && { ownerId }),
  });
  if (flags.json === true) printJson(asset);
  else printLine(`${asset.id}  ${plainLine(asset.name)}${asset.version === null ? "" : ` ${asset.version}`}`);
}

/** Where a program was read from before; its branch and folder, unless others are named. */
async function sameSource(syla: Syla, flags: Flags): Promise<{ word: string; flags: Flags }> {
  if (flags.into === undefined) throw usageError("What is to be imported?", "Name a folder, an archive, a repository or a template.");
  const { importSource } = await syla.assets.get(flags.into);
  if (importSource?.kind !== "git" || importSource.url == null)
    throw usageError("This program did not come from a repository.", "Name what its files are replaced by.");
  const { url, ref, path } = importSource;
  return { word: url, flags: { ...(ref != null && { ref }), ...(typeof path === "string" && { path }), ...flags } };
}

async function follow(syla: Syla, id: string): Promise<Import> {
  const progress = createProgress();
  const cancel = () => void syla.imports.cancel(id).catch(() => {});
  process.once("SIGINT", cancel);
  try {
    return await syla.imports.wait(id, {
      onProgress: ({ state, progress: { files, bytes } }) => progress.show(`${state}: ${files} files, ${formatBytes(bytes)} …`),
    });
  } finally {
    process.off("SIGINT", cancel);
    progress.clear();
  }
}

/** A folder of a repository was chosen when it was fetched; of anything else it is chosen now. */
function confirmationOf(
  flags: Flags,
  { suggestion }: Import,
  choosesPath: boolean,
): NonNullable<Parameters<Syla["imports"]["confirm"]>[1]> {
  return {
    ...(flags.name !== undefined && { name: flags.name }),
    ...(flags.entrypoint !== undefined && { entrypoint: flags.entrypoint }),
    ...(flags.language !== undefined && { runtime: flags.language }),
    ...(flags.model !== undefined && { modelId: flags.model }),
    ...(flags.publish !== undefined && { version: flags.publish }),
    ...(flags.path !== undefined && choosesPath && { path: flags.path }),
    ...(flags.withSecrets === true
      ? { leaveOut: [] }
      : flags.include !== undefined && { leaveOut: suggestion?.leaveOut.filter((path) => flags.include?.includes(path) !== true) ?? [] }),
  };
}

async function isWanted(flags: Flags): Promise<boolean> {
  if (!process.stdin.isTTY || !process.stdout.isTTY || flags.json === true) return false;
  const { confirm } = await import("@clack/prompts");
  return (await confirm({ message: flags.into === undefined ? "Make this program?" : "Replace the files?" })) === true;
}

async function leave(syla: Syla, found: Import, flags: Flags): Promise<void> {
  if (flags.json === true) return printJson(found);
  if (process.stdin.isTTY) {
    await syla.imports.cancel(found.id);
    return printLine("Nothing was made.");
  }
  note(`nothing was made yet: ${found.id} waits until ${found.expiresAt}. Say --yes to make programs without being asked.`);
}

function printReview({ suggestion, progress, problems, diff, slots, source }: Import): void {
  printFields([
    ["name", plainLine(suggestion?.name ?? "-")],
    ["from", plainLine([source.kind, source.name, source.ref, source.commit?.slice(0, 12)].filter((part) => part != null).join(" "))],
    ["files", `${progress.files}, ${formatBytes(progress.bytes)}`],
    ["language", plainLine(suggestion?.runtime ?? "not known: say --language")],
    ...describeVersion(suggestion),
    ["entrypoint", plainLine(suggestion?.entrypoint ?? "not known: say --entrypoint")],
    ["dependencies", plainLine(describeDependencies(suggestion))],
    ["slots", String(slots.length)],
    ...(diff === null
      ? []
      : ([["changes", `${diff.added.length} new, ${diff.changed.length} changed, ${diff.removed.length} removed`]] as [string, string][])),
  ]);
  for (const { severity, path, line, column, message } of problems.slice(0, most)) {
    const place = [path, line, line === null ? null : column].filter((part) => part !== null).join(":");
    note(plainLine(`${severity}: ${place === "" ? "" : `${place}: `}${message}`));
  }
}

/** Which version the files ask for, when they do. */
function describeVersion(suggestion: Import["suggestion"]): [string, string][] {
  const wishes = suggestion?.versionWishes ?? [];
  const [first] = wishes;
  if (first === undefined) return [];
  const asked = wishes.map(({ constraint, file }) => `${constraint} (${file})`).join(", ");
  const answer =
    first.found ?? `not here: there is ${first.installed.join(", ") || "none"}; an administrator gets it with ${first.install}`;
  return [["version", plainLine(`${asked}: ${answer}`)]];
}

function describeDependencies(suggestion: Import["suggestion"]): string {
  const packages = suggestion?.dependencies.packages ?? [];
  return packages.length === 0
    ? "none"
    : `${packages
        .map(({ name, constraint }) => name + constraint)
        .join(", ")
        .slice(0, 300)} (${suggestion?.dependencies.file ?? "named by hand"})`;
}

function failed(found: Import): CliError {
  const { code = "import_failed", message = `The import is ${found.state}.`, hint = "Begin again." } = found.error ?? {};
  return new CliError(message, { code, exit: "invalid_request", hint });
}
