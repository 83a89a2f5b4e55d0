/** What was written and not saved, kept by the browser against a crash. A draft says what it was made on, as `Edit` does. */
export interface Draft {
  readonly text: string;
  readonly executable: boolean;
  readonly revision: number;
}

/** Browsers keep some 5 MB for all pages: more than this is not kept. */
const mostCharacters = 2_000_000;

const keyOf = (owner: string, thing: string) => `syla.drafts.${owner}.${thing}`;

/** The drafts of a person for a thing, by path. What another version of the page left, or somebody has tampered with, is none. */
export function readDrafts(owner: string, thing: string): ReadonlyMap<string, Draft> {
  try {
    const found: unknown = JSON.parse(localStorage.getItem(keyOf(owner, thing)) ?? "[]");
    return new Map(Array.isArray(found) ? found.filter(isEntry) : []);
  } catch {
    return new Map();
  }
}

/** Whether they could be kept: storage may be full, or blocked. */
export function keepDrafts(owner: string, thing: string, drafts: ReadonlyMap<string, Draft>): boolean {
  try {
    const key = keyOf(owner, thing);
    if (drafts.size === 0) {
      localStorage.removeItem(key);
      return true;
    }
    const kept = JSON.stringify([...drafts]);
    if (kept.length > mostCharacters) return false;
    localStorage.setItem(key, kept);
    return true;
  } catch {
    return false;
  }
}

function isEntry(value: unknown): value is [string, Draft] {
  if (!Array.isArray(value) || typeof value[0] !== "string" || typeof value[1] !== "object" || value[1] === null) return false;
  const draft = value[1] as Partial<Record<keyof Draft, unknown>>;
  return typeof draft.text === "string" && typeof draft.executable === "boolean" && typeof draft.revision === "number";
}
