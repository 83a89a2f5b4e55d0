import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Asset, AssetType, AssetVersion, Syla } from "@syla/sdk";
import type { Command } from "commander";
import { changeMany } from "../catalog/change-many.ts";
import { findAsset } from "../catalog/find-asset.ts";
import { usageError } from "../cli-error.ts";
import { connect } from "../connection.ts";
import { printFileDiff } from "../output/file-diff.ts";
import { writeNewFile } from "../output/new-file.ts";
import { printJson, printLine, printTable } from "../output/print.ts";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { formatAge } from "../output/units.ts";
import { findTeam } from "../teams/find-team.ts";
import { type CommonFlags, defineServerCommand } from "./command.ts";
import { compositionDiffCommand } from "./composition-diff.ts";
import { parsePageSize } from "./page-size.ts";

/** What can be done with versions of an asset of any type: the same verbs below each of their nouns. */
export function versionVerbs(type: AssetType): Command[] {
  const own = type === "composition" ? [compositionDiffCommand] : [diff(type)];
  return [publish(type), versions(type), ...own, restore(type), clone(type)];
}

/** What can be done with an asset of any type, or with several. */
export function assetVerbs(type: AssetType): Command[] {
  return [rename(type), visibility(type), transfer(type), tag(type), exportZip(type)];
}

const known = "its id, slug or name";

function publish(type: AssetType): Command {
  return defineServerCommand("publish", "publish what is there now as a version, and print its number")
    .argument(`<${type}>`, known)
    .argument("[version]", "its number, e.g. 1.2.0; the next patch when left out")
    .option("-m, --message <text>", "what has changed")
    .action(async (word: string, version: string | undefined, flags: CommonFlags & { readonly message?: string }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findAsset(syla, type, word);
      const published = await syla.assets.versions.publish(id, {
        ...(version === undefined ? {} : { version }),
        ...(flags.message === undefined ? {} : { message: flags.message }),
      });
      if (flags.json === true) printJson(published);
      else printLine(published.version);
    });
}

function versions(type: AssetType): Command {
  return defineServerCommand("versions", `list the published versions of a ${type}, highest first`)
    .argument(`<${type}>`, known)
    .option("-n, --limit <number>", "how many, at most 200", "20")
    .option("--cursor <cursor>", "the page after: `nextCursor` of the page before")
    .action(async (word: string, flags: CommonFlags & { readonly limit: string; readonly cursor?: string }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findAsset(syla, type, word);
      const page = await syla.assets.versions.list(id, {
        limit: parsePageSize(flags.limit),
        ...(flags.cursor === undefined ? {} : { cursor: flags.cursor }),
      });
      if (flags.json === true) return printJson(page);
      printTable<AssetVersion>(
        [
          { title: "version", value: (version) => version.version },
          { title: "created", value: (version) => (process.stdout.isTTY ? formatAge(version.createdAt) : version.createdAt) },
          { title: "by", value: (version) => plainLine(version.createdBy?.name ?? "-") },
          { title: "files", value: (version) => String(version.tree?.files ?? 0), align: "right" },
          { title: "message", value: (version) => plainLine(version.message) },
        ],
        page.items,
      );
    });
}

function diff(type: AssetType): Command {
  return defineServerCommand("diff", `show what differs between two versions of a ${type}`)
    .argument(`<${type}>`, known)
    .argument("[from]", "a version, or head for what is there now; the newest version when left out")
    .argument("[to]", "a version, or head", "head")
    .action(async (word: string, from: string | undefined, to: string, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findAsset(syla, type, word);
      const found = await syla.assets.diff(id, { to, ...(from === undefined ? {} : { from }) });
      if (flags.json === true) return printJson(found);
      const fields = [...found.metadata, ...found.config];
      for (const { field, from: before, to: after } of fields)
        printLine(plainLine(`${field}: ${JSON.stringify(before)} -> ${JSON.stringify(after)}`));
      found.files.forEach(printFileDiff);
      if (found.omitted > 0) printLine(`… and ${found.omitted} more files`);
      if (found.files.length + fields.length === 0) printLine("Nothing differs.");
    });
}

function restore(type: AssetType): Command {
  return defineServerCommand("restore", `restore a deleted ${type}, or a version into what is there now, and print its id`)
    .argument(`<${type}>`, known)
    .argument("[version]", "a published version that becomes what is there now")
    .action(async (word: string, version: string | undefined, flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id, revision } = await findAsset(syla, type, word, version === undefined ? "deleted" : "all");
      const restored = await (version === undefined ? syla.assets.restore(id) : syla.assets.versions.restore(id, version, revision));
      if (flags.json === true) printJson(restored);
      else printLine(restored.id);
    });
}

function clone(type: AssetType): Command {
  return defineServerCommand("clone", `make a copy of a ${type}, and print its id`)
    .argument(`<${type}>`, known)
    .option("--name <name>", "what the copy is called; a free one like the original's when left out")
    .option("--team <team>", "a team of yours that owns the copy")
    .option("--at <version>", "a published version; what is there now when left out")
    .action(async (word: string, flags: CommonFlags & { readonly name?: string; readonly team?: string; readonly at?: string }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id } = await findAsset(syla, type, word);
      const made = await syla.assets.clone(id, {
        ...(flags.name === undefined ? {} : { name: flags.name }),
        ...(flags.team === undefined ? {} : { ownerId: (await findTeam(syla, flags.team)).id }),
        ...(flags.at === undefined ? {} : { version: flags.at }),
      });
      if (flags.json === true) printJson(made);
      else printLine(made.id);
    });
}

function rename(type: AssetType): Command {
  return defineServerCommand("rename", `call a ${type} something else`)
    .argument(`<${type}>`, known)
    .argument("<name>", "what people call it from now on")
    .option("--slug <slug>", "the part of its address that people read; it stays when left out")
    .action(async (word: string, name: string, flags: CommonFlags & { readonly slug?: string }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id, revision } = await findAsset(syla, type, word);
      print(flags, await syla.assets.update(id, { name, ...(flags.slug === undefined ? {} : { slug: flags.slug }) }, revision));
    });
}

function visibility(type: AssetType): Command {
  return defineServerCommand("visibility", `say whether everybody sees a ${type}`)
    .argument(`<${type}>`, known)
    .argument("<visibility>", "public or private")
    .action(async (word: string, wanted: string, flags: CommonFlags) => {
      if (wanted !== "public" && wanted !== "private")
        throw usageError(`${JSON.stringify(wanted)} is no visibility.`, "Say public or private.");
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id, revision } = await findAsset(syla, type, word);
      print(flags, await syla.assets.update(id, { visibility: wanted }, revision));
    });
}

function print(flags: CommonFlags, asset: Asset): void {
  if (flags.json === true) printJson(asset);
  else printLine(`${asset.id}  ${plainLine(asset.name)}  ${asset.slug}  ${asset.visibility}`);
}

function transfer(type: AssetType): Command {
  return defineServerCommand("transfer", `give a ${type} to somebody else; you may not see it any more`)
    .argument(`<${type}>`, known)
    .option("--to <email>", "a person who has an account")
    .option("--team <team>", "a team of yours: its id, slug or name")
    .option("--me", "yourself, from a team of yours")
    .action(async (word: string, flags: CommonFlags & { readonly to?: string; readonly team?: string; readonly me?: boolean }) => {
      if ([flags.to, flags.team, flags.me].filter((way) => way !== undefined).length !== 1)
        throw usageError("Say to whom.", "Give one of --to EMAIL, --team TEAM and --me.");
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const { id, name } = await findAsset(syla, type, word);
      const given = await syla.assets.transfer(id, await receiver(syla, flags));
      if (flags.json === true) printJson(given);
      else printLine(`${plainLine(name)} belongs to ${plainLine(given.owner.name)} now.`);
    });
}

async function receiver(syla: Syla, flags: { readonly to?: string; readonly team?: string }) {
  if (flags.to !== undefined) return { email: flags.to };
  return { ownerId: flags.team === undefined ? (await syla.me.get()).id : (await findTeam(syla, flags.team)).id };
}

function tag(type: AssetType): Command {
  return defineServerCommand("tag", `add and remove tags of ${type}s`)
    .argument(`<${type}...>`, "their ids, slugs or names")
    .option("-a, --add <tags>", "tags that they get (comma separated)")
    .option("-r, --remove <tags>", "tags that they lose (comma separated)")
    .action(async (words: string[], flags: CommonFlags & { readonly add?: string; readonly remove?: string }) => {
      const [add, remove] = [flags.add, flags.remove].map((text) => (text ?? "").split(/[\s,]+/).filter((word) => word !== ""));
      if ((add?.length ?? 0) + (remove?.length ?? 0) === 0) throw usageError("Say which tags.", "For example: --add weather,demo.");
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const assets = await findAll(syla, type, words);
      await changeMany(syla, assets, flags, (ids) => ({ action: "tag", ids, add: add ?? [], remove: remove ?? [] }));
    });
}

/** Deletes one or many. */
export function defineDeleteAssetsCommand(type: AssetType, what: string): Command {
  return defineServerCommand("delete", what)
    .argument(`<${type}...>`, "their ids, slugs or names")
    .action(async (words: string[], flags: CommonFlags) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const assets = await findAll(syla, type, words);
      for (const asset of assets) await noteUses(syla, asset);
      await changeMany(syla, assets, flags, (ids) => ({ action: "delete", ids }), "is deleted");
    });
}

/** Says which compositions use what is about to go; it goes all the same, and can be restored. */
async function noteUses(syla: Syla, { id, name }: Asset): Promise<void> {
  const { items, others } = await syla.assets.uses(id);
  const count = items.length + others;
  if (count === 0) return;
  const names = [...items.slice(0, 5).map((use) => use.name), ...(count > 5 || others > 0 ? ["others"] : [])];
  note(plainLine(`${name} is used by ${count === 1 ? "a composition" : `${count} compositions`}: ${names.join(", ")}.`));
}

async function findAll(syla: Syla, type: AssetType, words: readonly string[]): Promise<Asset[]> {
  const assets = new Map<string, Asset>();
  for (const word of words) {
    const asset = await findAsset(syla, type, word);
    assets.set(asset.id, asset);
  }
  return [...assets.values()];
}

function exportZip(type: AssetType): Command {
  return defineServerCommand(
    type === "dataset" || type === "composition" ? "archive" : "export",
    `write ${type}s into a zip archive, with what is known of them`,
  )
    .argument(`<${type}...>`, "their ids, slugs or names")
    .option("-o, --output <file>", "the archive, a new file; - for standard output", `${type}s.zip`)
    .action(async (words: string[], flags: CommonFlags & { readonly output: string }) => {
      const { syla } = await connect({ env: process.env, profile: flags.profile });
      const answer = await syla.assets.export((await findAll(syla, type, words)).map(({ id }) => id));
      if (flags.output === "-") return await pipeline(answer.body === null ? [] : Readable.fromWeb(answer.body), process.stdout);
      await writeNewFile(flags.output, answer.body, { hint: "Name another: --output FILE." });
      if (flags.json === true) printJson({ file: flags.output });
      else printLine(flags.output);
    });
}
