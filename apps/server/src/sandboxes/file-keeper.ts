import type { SandboxSaved } from "@syla/contracts/sandboxes/workspace";
import type { FileEntry, Session } from "@syla/sandbox/session";
import { RefusalError } from "@syla/sandbox/session-channel";
import type { Blobs } from "../platform/blobs.ts";
import type { TreeEntry } from "../platform/trees.ts";
import { ReturnCollector, returnLimits } from "../runs/service.ts";
import { writeChanges } from "./fetch-changes.ts";
import type { SandboxWorkspaces, Taken, WorkspaceFacts } from "./workspace.ts";

/** A file written to so shortly before it was looked at may be written to again within the same tick of the clock. */
const tickMs = 100;
const depth = 64;
/** More entries than this, folders and all, are no workspace. */
const mostEntries = 50_000;
/** While somebody works, what they changed is saved so often; where it could not be put in, it is tried again after longer. */
const everyMs = 30_000;
const besideMs = 300_000;

/** A file of the sandbox, as it was when it was read last; `stamp` is null when that may not tell of the next change. */
export interface KnownFile {
  readonly entry: TreeEntry;
  readonly stamp: string | null;
}

/** What a keeper is made of. */
export interface KeeperOptions {
  readonly session: Session;
  readonly sandboxId: string;
  readonly ownerId: string;
  readonly keyId: string | null;
  readonly workspace: WorkspaceFacts;
  /** What was put into /workspace, and the revision that it is of. */
  readonly entries: readonly TreeEntry[];
  readonly revision: number;
  readonly blobs: Blobs;
  readonly workspaces: Pick<SandboxWorkspaces, "takeSaved" | "filesNow" | "noteUse">;
}

/** Keeps the files of a sandbox and those of its workspace the same. What the sandbox says of its files is not believed further than a run's word. */
export class FileKeeper {
  /** What became last of what was changed; null when nothing was. */
  saved: SandboxSaved | null = null;
  readonly #options: KeeperOptions;
  /** What both had last, by path. */
  #base: Map<string, TreeEntry>;
  #known = new Map<string, KnownFile>();
  #revision: number;
  #isFirst = true;
  #savedAt = Date.now();
  /** What could not be put in, as text, until it is another. */
  #held: string | null = null;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: KeeperOptions) {
    this.#options = options;
    this.#base = new Map(options.entries.map((entry) => [entry.path, entry]));
    this.#revision = options.revision;
  }

  /** Looks at what was just put in, before anything can change it. */
  async begin(): Promise<void> {
    const { entries } = await this.#list();
    for (const found of entries) {
      const entry = this.#base.get(nameOf(found) ?? "");
      if (entry !== undefined && found.kind === "file") this.#known.set(entry.path, { entry, stamp: found.stamp });
    }
  }

  /** Whether it is time to save, of a sandbox that was used last at `lastActive`, in milliseconds. */
  isDue(now: number, lastActive: number): boolean {
    const waitMs = this.saved === null || this.saved.error === null ? everyMs : besideMs;
    return lastActive > this.#savedAt && now >= this.#savedAt + waitMs;
  }

  async noteUse(): Promise<void> {
    await this.#options.workspaces.noteUse(this.#options.workspace.id);
  }

  /** Puts what was changed into the workspace, then fetches what others have changed there. One after another. */
  save(): Promise<SandboxSaved> {
    this.#savedAt = Date.now();
    const turn = this.#turn.then(() => this.#save());
    this.#turn = turn.catch(() => {});
    return turn;
  }

  async #save(): Promise<SandboxSaved> {
    const read = await this.#read();
    const taken = read === null ? tooMuch : this.#options.workspace.writeBack ? await this.#give() : unchanged;
    const fetched = taken.error === null ? await this.#fetch() : 0;
    const { saved } = this;
    // What became of an earlier change stays known where nothing has happened since.
    if (saved !== null && saved.error === null && taken.outcome === "unchanged" && fetched === 0)
      return (this.saved = { ...saved, revision: this.#revision });
    const facts = { skipped: read?.skipped ?? 0, fetched, revision: this.#revision };
    return (this.saved = { at: new Date().toISOString(), ...taken, ...facts });
  }

  /** Reads what is another one than it was. Null when there is too much of it. */
  async #read(): Promise<{ readonly skipped: number } | null> {
    const { session, blobs } = this.#options;
    const { entries, truncated } = await this.#list();
    const now = Date.now();
    const collector = new ReturnCollector(blobs);
    const stamps = new Map<string, string | null>();
    const seen = new Set<string>();
    let skipped = 0;
    try {
      for (const found of entries) {
        if (found.kind === "folder") continue;
        const path = nameOf(found);
        if (path === null || found.kind !== "file") {
          skipped += 1;
          continue;
        }
        seen.add(path);
        const known = this.#known.get(path);
        if (known?.stamp === found.stamp) continue;
        const isRead = await collect(collector, session, found, path);
        if (isRead === "gone") seen.delete(path);
        else if (isRead === "refused") skipped += 1;
        else stamps.set(path, found.changedMs < now - tickMs ? found.stamp : null);
      }
      collector.left({ type: "left", whole: !truncated, skipped: 0 });
      const collected = await collector.end();
      if (collected === null) return null;
      for (const entry of collected.changed) this.#known.set(entry.path, { entry, stamp: stamps.get(entry.path) ?? null });
      for (const path of this.#known.keys()) if (!seen.has(path)) this.#known.delete(path);
      return { skipped };
    } catch (error) {
      await collector.abandon();
      throw error;
    }
  }

  async #give(): Promise<Taken> {
    const { sandboxId, ownerId, keyId, workspace, workspaces } = this.#options;
    const mine = new Map([...this.#known].map(([path, { entry }]) => [path, entry]));
    const changed = [...mine.values()].filter((entry) => !isSame(this.#base.get(entry.path), entry));
    const gone = [...this.#base.keys()].filter((path) => !mine.has(path) && !isIgnored(path));
    const held = JSON.stringify([changed, gone]);
    if (held === this.#held && this.saved !== null && this.saved.outcome === "kept_beside") return pick(this.saved);
    const base = [...this.#base.values()];
    const files = { sandboxId, ownerId, keyId, workspaceId: workspace.id, base, changed, gone, isFirst: this.#isFirst };
    const taken = await workspaces.takeSaved(files);
    this.#held = taken.error === null ? null : held;
    // Nothing keeps what was refused: it is read again.
    if (taken.outcome === "refused") for (const entry of changed) this.#known.set(entry.path, { entry, stamp: null });
    if (taken.outcome !== "merged") return taken;
    this.#isFirst = false;
    const ignored = base.filter(({ path }) => isIgnored(path));
    this.#base = new Map([...ignored.map((entry) => [entry.path, entry] as const), ...mine]);
    return taken;
  }

  /** Fetches what is another one in the workspace than both had, where the sandbox has left it alone. @returns how many files */
  async #fetch(): Promise<number> {
    const { session, workspace, workspaces, blobs } = this.#options;
    const now = await workspaces.filesNow(workspace.id);
    if (now === undefined || now.revision === this.#revision) return 0;
    const theirs = new Map(now.entries.map((entry) => [entry.path, entry]));
    const paths = [...new Set([...this.#base.keys(), ...theirs.keys()])].filter((path) => !isSame(this.#base.get(path), theirs.get(path)));
    const untouched = paths.filter((path) => isSame(this.#known.get(path)?.entry, this.#base.get(path)));
    const done = await writeChanges(
      session,
      blobs,
      untouched.map((path) => ({ path, entry: theirs.get(path), stamp: this.#known.get(path)?.stamp ?? null })),
    );
    for (const { path, entry, stamp } of done) {
      if (entry === undefined) {
        this.#base.delete(path);
        this.#known.delete(path);
      } else {
        this.#base.set(path, entry);
        this.#known.set(path, { entry, stamp });
      }
    }
    if (done.length === paths.length) this.#revision = now.revision;
    return done.length;
  }

  async #list() {
    const { files } = this.#options.session;
    return await files.list("/workspace", { depth, limit: mostEntries, ignore: returnLimits.ignore, whole: true });
  }
}

const unchanged = { outcome: "unchanged" as const, changed: 0, version: null, error: null };
const tooMuch = {
  outcome: "refused" as const,
  changed: 0,
  version: null,
  error: { code: "payload_too_large", message: "there are more or larger files than a workspace holds, or some that cannot be read" },
};

function pick({ outcome, changed, version, error }: SandboxSaved): Taken {
  return { outcome, changed, version, error };
}

/** Reads a file; what went away meanwhile, or cannot be read, is no fault of the others. */
async function collect(collector: ReturnCollector, session: Session, found: FileEntry, path: string): Promise<"read" | "gone" | "refused"> {
  try {
    const { data } = await session.files.read(found.path);
    await collector.begin({ type: "returned", path, size: found.size, executable: (found.mode & 0o100) !== 0 }, path);
    for await (const chunk of data) await collector.data(chunk);
    return "read";
  } catch (error) {
    if (!(error instanceof RefusalError)) throw error;
    await collector.abandon();
    return error.code === "ENOENT" ? "gone" : "refused";
  }
}

const root = "/workspace/";

/** The path of an entry below /workspace; null for a name that is no text. */
function nameOf({ path }: FileEntry): string | null {
  const text = path.toString();
  return Buffer.from(text).equals(path) && text.startsWith(root) ? text.slice(root.length) : null;
}

function isSame(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  return one?.sha256 === other?.sha256 && ((one?.mode ?? 0) & 0o100) === ((other?.mode ?? 0) & 0o100);
}

function isIgnored(path: string): boolean {
  return path.split("/").some((part) => returnLimits.ignore.includes(part));
}
