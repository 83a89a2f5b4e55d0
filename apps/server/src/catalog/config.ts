import { assetConfigs, type AssetConfig } from "@syla/contracts/asset-configs";
import type { AssetType } from "@syla/contracts/asset-fields";
import type { TreeFileInput } from "@syla/contracts/assets";
import type { CompositionConfig } from "@syla/contracts/composition-config";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../access/actor.ts";
import type { Work } from "../platform/database.ts";
import { fieldProblems } from "../platform/http-problem.ts";
import type { TreeEntry, Trees } from "../platform/trees.ts";
import type { AssetRow } from "./store.ts";

/** A configuration that somebody gives. @throws AppError `invalid_request`, with each field that is wrong */
export function readConfig(type: AssetType, config: unknown): AssetConfig {
  const parsed = assetConfigs[type].safeParse(config);
  if (parsed.success) return parsed.data;
  const fields = fieldProblems("body", parsed.error.issues).map(({ path, message }) => ({
    path: path === "" ? "config" : `config.${path}`,
    message,
  }));
  throw new AppError("invalid_request", {
    message: `The configuration is not valid. \`${fields[0]?.path}\`: ${fields[0]?.message}.`,
    fields,
  });
}

/** The files of an asset; none when it has no tree. */
export async function readTree(trees: Trees, { tree_sha256 }: Pick<AssetRow, "tree_sha256">): Promise<readonly TreeEntry[]> {
  return tree_sha256 === null ? [] : await trees.read(tree_sha256);
}

/** Refuses a program whose entrypoint is not there, and a composition with errors. @throws AppError `entrypoint_missing`, `composition_invalid` */
export async function requireRunnable(trees: Trees, row: Pick<AssetRow, "type" | "config" | "tree_sha256">): Promise<void> {
  if (row.type === "composition") requireSound(row.config);
  if (row.type !== "program") return;
  const { entrypoint } = assetConfigs.program.parse(row.config);
  if ((await readTree(trees, row)).some((entry) => entry.path === entrypoint)) return;
  const message = `The entrypoint ${JSON.stringify(entrypoint)} is not among the files.`;
  throw new AppError("entrypoint_missing", { message, fields: [{ path: "config.entrypoint", message: "must be one of the files" }] });
}

function requireSound(config: unknown): void {
  const { problems } = assetConfigs.composition.parse(config);
  if (problems > 0)
    throw new AppError("composition_invalid", { message: `The composition has ${problems === 1 ? "an error" : `${problems} errors`}.` });
}

/** What the catalog needs to know of compositions: what one is follows from its files. */
export interface CompositionFiles {
  /** The files of a new one. */
  begin(name: string): TreeFileInput[];
  /** @throws AppError `invalid_graph` */
  describe(entries: readonly TreeEntry[]): Promise<CompositionConfig>;
}

/** What has to hold of a type's configuration besides its shape; throws when it does not. */
export type CheckConfig = (
  actor: Actor,
  /** `before`: the configuration that is there, which somebody was allowed to give it. */
  asset: {
    id?: string;
    type: AssetType;
    ownerId: string;
    config: unknown;
    before?: unknown;
    visibility?: string | undefined;
    /** A cap on what everybody may spend comes in the same step. */
    becomesCapped?: boolean | undefined;
  },
) => Promise<void>;

/** Told in the transaction in which an asset gets another owner or another configuration; `row` is how it was. `by` null: its owner is going. */
export type OnChanged = (work: Work, row: AssetRow, next: { ownerId?: string; config?: unknown }, by: string | null) => Promise<void>;
