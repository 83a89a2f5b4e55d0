import type { ProgramRunInputDraft, Syla } from "@syla/sdk";
import { findAsset } from "../catalog/find-asset.ts";
import { usageError } from "../cli-error.ts";

type Binding = NonNullable<ProgramRunInputDraft["datasets"]>[number];

const form = /^(?:([A-Za-z0-9_][A-Za-z0-9_-]*)=)?([^@:]+)(?:@([^@:]+))?(?::([a-z0-9_-]+))?$/;

/** `[name=]dataset[@version][:split]` as a run takes it; the dataset by its id, slug or name. */
export async function parseBinding(syla: Syla, text: string): Promise<Binding> {
  const [, name, word, version, split] = form.exec(text) ?? [];
  if (word === undefined) throw usageError(`"${text}" names no dataset.`, "Write --dataset [name=]dataset[@version][:split].");
  const { id } = await findAsset(syla, "dataset", word);
  return { id, ...(name !== undefined && { name }), ...(version !== undefined && { version }), ...(split !== undefined && { split }) };
}
