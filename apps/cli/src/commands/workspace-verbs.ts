import { openAsBlob, statSync } from "node:fs";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Syla, Workspace, WorkspaceKind, WorkspaceSource, WorkspaceVersion } from "@syla/sdk";
import { type Command, Option } from "commander";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFileDiff } from "../output/file-diff.ts";
import { writeNewFile } from "../output/new-file.ts";
import { printFields, printJson, printLine, printTable } from "../output/print.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge, formatBytes } from "../output/units.ts";
import { findProgram } from "../programs/find-program.ts";
import { readLocalTree } from "../programs/local-tree.ts";
import { sendContents } from "../programs/push.ts";
import { useWorkspace } from "../settings/profiles.ts";
import { findTeam } from "../teams/find-team.ts";
import { findWorkspace, findWorkspaceOrCurrent } from "../workspaces/find-workspace.ts";
import { readVersionNumber } from "../workspaces/version-number.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { parsePageSize } from "./page-size.ts";
import { workspaceJoinCommand } from "./workspace-join.ts";
import { workspaceMirror } from "./workspace-mirror.ts";
import { workspaceSearch } from "./workspace-search.ts";
import { workspaceSyncCommand } from "./workspace-sync.ts";

const kinds: readonly WorkspaceKind[] = ["ephemeral", "session", "persistent", "collaborative"];
const known = "its id or name; the one in use when left out or `.`";

/** What can be done with workspaces. */
export function workspaceVerbs(): Command[] {
  return [
    create(),
    list(),
    use(),
    info(),
    clone(),
    exportFiles(),
    importFiles(),
    workspaceSyncCommand,
    workspaceJoinCommand,
    workspaceMirror(),
    diff(),
    workspaceSearch(),
    snapshot(),
    versions(),
    restore(),
  ];
}

/** What ends them, or lays them aside. */
export function workspaceEnds(): Command[] {
  return [
    change("suspend", "lay a workspace aside until it is used again"),
    change("resume", "take up a workspace that was suspended or archived"),
    change("archive", "archive a workspace: it is kept, and not changed until it is resumed"),
    remove(),
  ];
}

interface CreateFlags extends CommonFlags {
  readonly kind: WorkspaceKind;
  readonly team?: string;
  readonly description?: string;
  readonly program?: string;
  readonly template?: string;
  readonly git?: string;
  readonly keepOnExit?: boolean;
}

function create(): Command {
  return defineServerCommand("create", "make a workspace, empty or of a folder, and print its id")
    .argument("<name>", "what people call it")
    .argument("[folder]", "its files; none when left out")
    .addOption(new Option("-k, --kind <kind>", "how long it lives, and what it keeps").choices(kinds).default("persistent"))
    .option("--team <team>", "a team of yours that owns it")
    .option("-d, --description <text>", "what it is for")
    .option("--program <program>", "with the files of this program")
    .option("--template <template>", "with the files of this template")
    .option("--git <url>", "with the files of this repository")
    .option("--keep-on-exit", "of a session: it is archived when its time is over, not deleted")
    .action(async (name: string, folder: string | undefined, flags: CreateFlags) => {
      if ([folder, flags.program, flags.template, flags.git].filter((from) => from !== undefined).length > 1)
        throw usageError("Its files come from one place.", "Give a folder, or one of --program, --template and --git.");
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const made = await syla.workspaces.create({
        name,
        kind: flags.kind,
        ...(flags.description === undefined ? {} : { description: flags.description }),
        ...(flags.team === undefined ? {} : { ownerId: (await findTeam(syla, flags.team)).id }),
        ...(flags.keepOnExit === true ? { keepOnExit: true } : {}),
        ...(folder === undefined ? await sourceOf(syla, flags) : { files: await readFolder(syla, folder) }),
      });
      if (flags.json === true) printJson(made);
      else printLine(made.id);
    });
}

async function sourceOf(syla: Syla, { program, template, git }: CreateFlags): Promise<{ source?: WorkspaceSource }> {
  if (program !== undefined) return { source: { kind: "program", programId: (await findProgram(syla, program)).id } };
  if (template !== undefined) return { source: { kind: "template", template } };
  return git === undefined ? {} : { source: { kind: "git", url: git } };
}

async function readFolder(syla: Syla, folder: string) {
  const root = resolve(folder);
  const entries = await readLocalTree(root);
  await sendContents(syla, root, entries);
  return entries.map(({ path, sha256, executable }) => ({ path, blob: sha256, executable }));
}

interface ListFlags extends CommonFlags {
  readonly view: "mine" | "team" | "shared" | "all" | "deleted";
  readonly kind?: WorkspaceKind;
  readonly limit: string;
  readonly cursor?: string;
}

function list(): Command {
  return defineServerCommand("list", "list workspaces, those used last first")
    .addOption(new Option("--view <view>", "whose").choices(["mine", "team", "shared", "all", "deleted"]).default("all"))
    .addOption(new Option("-k, --kind <kind>", "only of this kind").choices(kinds))
    .option("-n, --limit <number>", "how many, at most 200", "20")
    .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
    .action(async (flags: ListFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const page = await syla.workspaces.list({
        view: flags.view,
        limit: parsePageSize(flags.limit),
        ...(flags.kind === undefined ? {} : { kind: flags.kind }),
        ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
      });
      if (flags.json === true) return printJson(page);
      printTable<Workspace>(
        [
          { title: "id", value: ({ id }) => id },
          { title: "name", value: ({ name }) => plainLine(name) },
          { title: "kind", value: ({ kind }) => kind },
          { title: "state", value: ({ state }) => state },
          { title: "files", value: ({ tree }) => String(tree.files), align: "right" },
          { title: "size", value: ({ tree }) => formatBytes(tree.bytes), align: "right" },
          { title: "used", value: ({ lastUsedAt }) => (process.stdout.isTTY ? formatAge(lastUsedAt) : lastUsedAt) },
          { title: "owner", value: ({ owner }) => plainLine(owner.name) },
        ],
        page.items,
      );
    });
}

function use(): Command {
  return defineServerCommand("use", "choose the workspace that is meant when none is named; without a name, none")
    .argument("[workspace]", "its id or name")
    .action(async (word: string | undefined, flags: CommonFlags) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const workspace = word === undefined ? null : await findWorkspace(syla, word);
      useWorkspace(process.env, target.url, workspace?.id ?? null);
      if (flags.json === true) printJson({ workspace });
      else if (workspace !== null) printLine(workspace.id);
    });
}

function info(): Command {
  return defineServerCommand("info", "show what is known of a workspace")
    .argument("[workspace]", known)
    .action(async (word: string | undefined, flags: CommonFlags) => {
      const workspace = await find(word, flags);
      if (flags.json === true) return printJson(workspace);
      const { id, name, kind, state, owner, tree, version, network, lastUsedAt, expiresAt, runningCount } = workspace;
      printFields([
        ["id", id],
        ["name", plainLine(name)],
        ["kind", kind],
        ["state", state],
        ["owner", plainLine(owner.name)],
        ["files", `${tree.files} (${formatBytes(tree.bytes)})`],
        ["version", version === null ? "-" : String(version)],
        ["network", typeof network === "string" ? network : network.allow.join(", ")],
        ["running", String(runningCount)],
        ["used", lastUsedAt],
        ...(expiresAt === null ? [] : [["ends", expiresAt] as [string, string]]),
      ]);
    });
}

function clone(): Command {
  return defineServerCommand("clone", "make a copy of a workspace, and print its id")
    .argument("[workspace]", known)
    .option("--name <name>", "what the copy is called; a free one like the original's when left out")
    .addOption(new Option("-k, --kind <kind>", "the same when left out").choices(kinds))
    .option("--team <team>", "a team of yours that owns the copy")
    .option("--at <version>", "a version's number; what is there now when left out")
    .action(async (word: string | undefined, flags: CommonFlags & { name?: string; kind?: WorkspaceKind; team?: string; at?: string }) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const made = await syla.workspaces.clone(id, {
        ...(flags.name === undefined ? {} : { name: flags.name }),
        ...(flags.kind === undefined ? {} : { kind: flags.kind }),
        ...(flags.team === undefined ? {} : { ownerId: (await findTeam(syla, flags.team)).id }),
        ...(flags.at === undefined ? {} : { version: readVersionNumber(flags.at) }),
      });
      if (flags.json === true) printJson(made);
      else printLine(made.id);
    });
}

function exportFiles(): Command {
  return defineServerCommand("export", "write the files of a workspace into an archive")
    .argument("[workspace]", known)
    .option("-o, --output <file>", "the archive, a new file; - for standard output")
    .addOption(new Option("-f, --format <format>", "how it is packed").choices(["zip", "tar"]).default("zip"))
    .option("--at <version>", "a version's number; what is there now when left out")
    .action(async (word: string | undefined, flags: CommonFlags & { output?: string; format: "zip" | "tar"; at?: string }) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id, name } = await findWorkspaceOrCurrent(syla, target.url, word);
      const at = flags.at === undefined ? {} : { version: readVersionNumber(flags.at) };
      const answer = await syla.workspaces.export(id, { format: flags.format, ...at });
      if (flags.output === "-") return await pipeline(answer.body === null ? [] : Readable.fromWeb(answer.body), process.stdout);
      const file = flags.output ?? `${name.replaceAll(/[^\p{L}\p{N}._-]+/gu, "-").replace(/^[.-]+/, "") || "workspace"}.${flags.format}`;
      await writeNewFile(file, answer.body, { hint: "Name another: --output FILE." });
      if (flags.json === true) printJson({ file });
      else printLine(file);
    });
}

function importFiles(): Command {
  return defineServerCommand("import", "bring files into a workspace, over those of the same path; what was there becomes a version")
    .argument("<source>", "a folder, an archive (zip or tar), or the URL of a repository")
    .argument("[workspace]", known)
    .option("--replace", "what is there now goes")
    .action(async (source: string, word: string | undefined, flags: CommonFlags & { replace?: boolean }) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const workspace = await findWorkspaceOrCurrent(syla, target.url, word);
      const changed = await bringIn(syla, workspace, source, flags.replace === true);
      if (flags.json === true) printJson(changed);
      else printLine(`${changed.tree.files} files, revision ${changed.revision}`);
    });
}

async function bringIn(syla: Syla, { id, revision }: Workspace, source: string, replace: boolean): Promise<Workspace> {
  const place = statSync(source, { throwIfNoEntry: false });
  if (place === undefined) {
    if (!source.includes("/")) throw usageError(`There is no file or folder "${source}".`, "Name one, or the URL of a repository.");
    return await syla.workspaces.import(id, { source: { kind: "git", url: source }, replace });
  }
  if (place.isFile()) {
    const { sha256 } = await syla.blobs.upload(await openAsBlob(source));
    return await syla.workspaces.import(id, { source: { kind: "archive", blob: sha256 }, replace });
  }
  const files = await readFolder(syla, source);
  const kept = new Set(files.map(({ path }) => path));
  const there = replace ? await syla.workspaces.files(id) : { items: [], revision };
  const others = there.items.filter(({ path }) => !kept.has(path));
  const changes = [
    ...others.map(({ path }) => ({ op: "delete" as const, path })),
    ...files.map((file) => ({ op: "write" as const, file })),
  ];
  return changes.length === 0
    ? await syla.workspaces.get(id)
    : await syla.workspaces.changeFiles(id, changes, there.revision, { keepBefore: true });
}

function diff(): Command {
  return defineServerCommand("diff", "show what differs between two versions of a workspace, or from another one")
    .argument("[workspace]", known)
    .option("--from <version>", "a version's number, or head; the newest version when left out")
    .option("--to <version>", "a version's number, or head", "head")
    .option("--other <workspace>", "another workspace that --to is of")
    .action(async (word: string | undefined, flags: CommonFlags & { from?: string; to: string; other?: string }) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const found = await syla.workspaces.diff(id, {
        to: flags.to,
        ...(flags.from === undefined ? {} : { from: flags.from }),
        ...(flags.other === undefined ? {} : { other: (await findWorkspace(syla, flags.other)).id }),
      });
      if (flags.json === true) return printJson(found);
      found.files.forEach(printFileDiff);
      if (found.omitted > 0) printLine(`… and ${found.omitted} more files`);
      if (found.files.length === 0) printLine("Nothing differs.");
    });
}

function snapshot(): Command {
  return defineServerCommand("snapshot", "keep the files of a workspace as a version, and print its number")
    .argument("[workspace]", known)
    .option("-m, --message <text>", "why")
    .action(async (word: string | undefined, flags: CommonFlags & { message?: string }) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const made = await syla.workspaces.versions.create(id, flags.message ?? "");
      if (flags.json === true) printJson(made);
      else printLine(String(made.number));
    });
}

function versions(): Command {
  return defineServerCommand("versions", "list the versions of a workspace, newest first")
    .argument("[workspace]", known)
    .option("-n, --limit <number>", "how many, at most 200", "20")
    .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
    .action(async (word: string | undefined, flags: CommonFlags & { limit: string; cursor?: string }) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const cursor = flags.cursor === undefined ? {} : { cursor: flags.cursor };
      const page = await syla.workspaces.versions.list(id, { limit: parsePageSize(flags.limit), ...cursor });
      if (flags.json === true) return printJson(page);
      printTable<WorkspaceVersion>(
        [
          { title: "version", value: ({ number }) => String(number), align: "right" },
          { title: "created", value: ({ createdAt }) => (process.stdout.isTTY ? formatAge(createdAt) : createdAt) },
          { title: "by", value: ({ createdBy }) => plainLine(createdBy?.name ?? "-") },
          { title: "why", value: ({ cause }) => cause },
          { title: "files", value: ({ tree }) => String(tree.files), align: "right" },
          { title: "message", value: ({ message }) => plainLine(message) },
        ],
        page.items,
      );
    });
}

function restore(): Command {
  return defineServerCommand("restore", "put a version in the place of what is there; without one, restore a workspace that was deleted")
    .argument("[workspace]", known)
    .argument("[version]", "a version's number")
    .action(async (word: string | undefined, number: string | undefined, flags: CommonFlags) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const restored =
        number === undefined && word !== undefined && word !== "."
          ? await syla.workspaces.restore((await findWorkspace(syla, word, "deleted")).id)
          : await restoreVersion(syla, await findWorkspaceOrCurrent(syla, target.url, word), number);
      if (flags.json === true) printJson(restored);
      else printLine(`${plainLine(restored.name)} is restored.`);
    });
}

async function restoreVersion(syla: Syla, { id, revision }: Workspace, number: string | undefined): Promise<Workspace> {
  if (number === undefined) throw usageError("Say what is to be restored.", "Name a workspace that was deleted, or a version: restore . 3");
  return await syla.workspaces.versions.restore(id, readVersionNumber(number), revision);
}

function change(action: "suspend" | "resume" | "archive", what: string): Command {
  return defineServerCommand(action, what)
    .argument("[workspace]", known)
    .action(async (word: string | undefined, flags: CommonFlags) => {
      const { syla, target } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findWorkspaceOrCurrent(syla, target.url, word);
      const changed = await syla.workspaces[action](id);
      if (flags.json === true) printJson(changed);
      else printLine(`${plainLine(changed.name)} is ${changed.state}.`);
    });
}

function remove(): Command {
  return defineServerCommand("delete", "delete a workspace; it can be restored for 30 days")
    .argument("<workspace>", "its id or name")
    .option("--for-good", "it cannot be restored")
    .action(async (word: string, flags: CommonFlags & { forGood?: boolean }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id, name } = await findWorkspace(syla, word);
      await syla.workspaces.delete(id, flags.forGood === true);
      if (flags.json === true) printJson({ id, forGood: flags.forGood === true });
      else printLine(`${plainLine(name)} is deleted.`);
    });
}

async function find(word: string | undefined, flags: CommonFlags): Promise<Workspace> {
  const { syla, target } = await connect({ env: process.env, profile: flags.profile });
  return await findWorkspaceOrCurrent(syla, target.url, word);
}
