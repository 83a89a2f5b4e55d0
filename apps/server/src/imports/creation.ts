import { Analysis } from "@syla/contracts/analysis";
import type { Asset, ImportSource } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type { ImportConfirmation, ImportSuggestion } from "@syla/contracts/imports";
import type { Dependencies, ProgramConfig } from "@syla/contracts/program-config";
import type { Actor } from "../access/actor.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Models } from "../models/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry, Trees } from "../platform/trees.ts";
import type { Runtimes } from "../runtimes/service.ts";
import { sources, suggestions, type StoredSource } from "./presenter.ts";
import type { ImportRow } from "./store.ts";
import type { Templates } from "./templates.ts";

/** What making programs of imports takes. */
export interface CreationContext {
  readonly blobs: Blobs;
  readonly trees: Trees;
  readonly catalog: Catalog;
  readonly runtimes: Runtimes;
  readonly templates: Templates;
  readonly models: Pick<Models, "resolveNames">;
}

/**
 * Makes the program of an import as it was confirmed, or replaces the files of the one that was named when that is still what the import was held
 * against: all of it, or nothing.
 *
 * @throws AppError `revision_conflict`, `version_taken`, `entrypoint_missing`, `name_taken`, …
 */
export async function create(context: CreationContext, actor: Actor, row: ImportRow, confirmation: ImportConfirmation): Promise<Asset> {
  if (row.tree_sha256 === null || row.suggestion === null) throw new AppError("import_state");
  const suggestion = suggestions.parse(row.suggestion);
  const source = sources.parse(row.source);
  const leaveOut = new Set(confirmation.leaveOut ?? suggestion.leaveOut);
  const entries = choose(await context.trees.read(row.tree_sha256), confirmation.path, leaveOut);
  const before =
    row.asset_id === null ? null : (await context.catalog.resolve(actor, "asset:edit", row.asset_id, undefined, "program")).config;
  const suggested = below(suggestion.entrypoint, confirmation.path);
  const entrypoint = confirmation.entrypoint ?? (before !== null && has(entries, before.entrypoint) ? before.entrypoint : suggested);
  if (entrypoint === null || !has(entries, entrypoint)) throw entrypointMissing(entrypoint, entries);
  const runtime = confirmation.runtime ?? before?.runtime ?? context.runtimes.detect(entrypoint, "")?.definition.name ?? suggestion.runtime;
  if (runtime === null)
    throw new AppError("unknown_language", {
      message: `The language of ${JSON.stringify(entrypoint)} cannot be told from its name.`,
      fields: [{ path: "runtime", message: "cannot be guessed" }],
    });
  context.runtimes.get(runtime);
  const tree = await context.trees.put(entries);
  const config = {
    ...(before ?? (source.kind === "template" ? context.templates.get(source.name ?? "").config : {})),
    runtime,
    runtimeVersion:
      confirmation.runtimeVersion === undefined
        ? (before?.runtimeVersion ?? (runtime === suggestion.runtime ? suggestion.runtimeVersion : null))
        : confirmation.runtimeVersion,
    entrypoint,
    dependencies: confirmation.dependencies ?? keptDependencies(before, entries, suggestion) ?? suggestion.dependencies,
    ...(confirmation.modelId === undefined ? {} : { modelId: await modelOf(context, actor, confirmation.modelId) }),
  };
  const slots = await slotsOf(context.blobs, row.analysis_sha256);
  const importSource = toImportSource(
    { ...source, path: [source.path, row.folder].filter((part) => part !== null).join("/") || null },
    row.id,
  );
  const publish = confirmation.version === undefined ? undefined : { version: confirmation.version, message: "Imported" };
  return row.asset_id === null
    ? await context.catalog.create(actor, {
        type: "program",
        name: confirmation.name ?? suggestion.name,
        description: confirmation.description,
        ownerId: confirmation.ownerId,
        tree,
        config,
        slots,
        importSource,
        clonedFrom: source.kind === "clone" ? { id: source.name ?? "", version: source.version } : null,
        publish,
      })
    : await context.catalog.update(actor, row.asset_id, { tree, config, slots, importSource, publish }, row.asset_revision ?? 0);
}

/** @throws AppError `unknown_model` */
async function modelOf({ models }: CreationContext, actor: Actor, name: string | null): Promise<string | null> {
  return name === null ? null : ((await models.resolveNames(actor, [name]))[0] ?? null);
}

/** The files of a folder, without those that are left out (named from the root of the import). */
function choose(entries: readonly TreeEntry[], folder: string | undefined, leaveOut: ReadonlySet<string>): TreeEntry[] {
  const prefix = folder === undefined ? "" : `${folder.replace(/^\/+|\/+$/g, "")}/`;
  const chosen = entries.filter(({ path }) => path.startsWith(prefix) && !leaveOut.has(path));
  if (chosen.length > 0) return chosen.map((entry) => ({ ...entry, path: entry.path.slice(prefix.length) }));
  throw new AppError("entrypoint_missing", {
    message: folder === undefined ? "No file is left." : `There is no file in the folder ${JSON.stringify(folder)}.`,
    fields: [{ path: folder === undefined ? "leaveOut" : "path", message: "leaves no file" }],
  });
}

function below(path: string | null, folder: string | undefined): string | null {
  if (path === null || folder === undefined) return path;
  const prefix = `${folder.replace(/^\/+|\/+$/g, "")}/`;
  return path.startsWith(prefix) ? path.slice(prefix.length) : null;
}

function has(entries: readonly TreeEntry[], path: string): boolean {
  return entries.some((entry) => entry.path === path);
}

function entrypointMissing(entrypoint: string | null, entries: readonly TreeEntry[]): AppError {
  return new AppError("entrypoint_missing", {
    message:
      entrypoint === null
        ? "Which file is run cannot be told from the files."
        : `The entrypoint ${JSON.stringify(entrypoint)} is not among the files.`,
    details: { files: entries.slice(0, 20).map((entry) => entry.path) },
    fields: [{ path: "entrypoint", message: "must be one of the files" }],
  });
}

async function slotsOf(blobs: Blobs, analysis: string | null): Promise<string[]> {
  if (analysis === null) return [];
  return Analysis.parse(JSON.parse((await blobs.get(analysis)).toString())).slots.map((slot) => slot.name);
}

function toImportSource({ kind, name, ref, path, commit, credentialId }: StoredSource, importId: string): ImportSource {
  const at = new Date().toISOString();
  if (kind === "git") return { kind, url: name, ref, commit, path, at, importId, ...(credentialId === null ? {} : { credentialId }) };
  return { kind: kind === "archive" || kind === "template" ? kind : "upload", url: name, path, at, importId };
}

/** What somebody chose for the program before, as far as the new files have it; null: what they say counts. */
function keptDependencies(before: ProgramConfig | null, entries: readonly TreeEntry[], suggestion: ImportSuggestion): Dependencies | null {
  const kept = before?.dependencies;
  if (kept === undefined || kept.source === "none") return null;
  if (kept.source === "manual") return kept;
  const isSame = kept.source === suggestion.dependencies.source && kept.file === suggestion.dependencies.file;
  return !isSame && kept.file !== null && has(entries, kept.file) ? kept : null;
}
