/** A file that was edited here, and is not saved. */
export interface Edit {
  readonly text: string;
  readonly executable: boolean;
  /** The revision of the text that the edit began on: whatever others write meanwhile, the server puts it together with that. */
  readonly revision: number;
}

/** By path. */
export type Edits = ReadonlyMap<string, Edit>;

/** What there is after edits were saved: the texts as they are at a revision, as far as they were read. */
export interface Saved {
  readonly revision: number;
  readonly texts: ReadonlyMap<string, string | null>;
}

/** Edits that began on the same revision, which are saved together; the oldest first. */
export function byRevision(edits: Edits): (readonly [number, Edits])[] {
  const revisions = [...new Set([...edits.values()].map(({ revision }) => revision))].toSorted((one, other) => one - other);
  return revisions.map((revision) => [revision, new Map([...edits].filter(([, edit]) => edit.revision === revision))] as const);
}

/**
 * What is left when `sent` was saved: what was typed meanwhile. It goes on from what was saved; where others' changes came into that file,
 * which the text here lacks, it stays on the revision that it began on.
 */
export function leftAfter(edits: Edits, sent: Edits, saved: Saved): Edits {
  const left = new Map<string, Edit>();
  for (const [path, edit] of edits) {
    const before = sent.get(path);
    if (before === undefined) left.set(path, edit);
    else if (before.text !== edit.text)
      left.set(path, saved.texts.get(path) === before.text ? { ...edit, revision: saved.revision } : edit);
  }
  return left;
}
