import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import type { Actor } from "../../access/actor.ts";
import { covers } from "../../access/service.ts";
import type { BlobRef } from "../../platform/blobs.ts";
import type { Work } from "../../platform/database.ts";
import { toAppError } from "../../platform/http-problem.ts";
import { settling } from "../../quotas/service.ts";
import { orForgotten, putFiles, type FilesContext } from "../files.ts";
import { loadWorkspace, requireChangeable } from "../loading.ts";
import { findWorkspace, insertVersion, lockWorkspace, touchWorkspace, type WorkspaceRow } from "../store.ts";
import { ByteReader } from "./byte-reader.ts";
import { streamCommits, type Commit } from "./commits.ts";
import { bringsCommits, mostCommands, readPushRequest, reportPush, type Pushed, type PushRequest } from "./push-request.ts";
import { mostFactBytes, readReceived, type ReceivedCommit } from "./received.ts";
import { advertise, branch, listRefs, noCommit, speaksVersion2, type GitService } from "./refs.ts";
import { answerByGit, mostPackBytes, mostRepositoryBytes, storedFile, workByGit, type Repository, type RunGitContext } from "./run-git.ts";
import * as store from "./store.ts";

/** What git for workspaces is made of. */
export interface WorkspaceGitContext extends FilesContext, RunGitContext {}

/** A workspace's repository as it stands, and what its files were then. */
interface Standing extends Repository {
  readonly row: WorkspaceRow;
  readonly tree: string | null;
}

/** So many packs become one. */
const manyPacks = 40;
const mostTries = 5;
/** So many commits of a push become versions; those before them are in the history alone. */
const mostVersions = 20;
const workspaceForm = /^(wsp_[0-9a-z]{26})(?:\.git)?$/;

/** Workspaces as repositories of git: each with one branch, whose commits are its versions. Every call checks the actor's permission. */
export class WorkspaceGit {
  readonly #context: WorkspaceGitContext;

  constructor(context: WorkspaceGitContext) {
    this.#context = context;
  }

  /** What a client is told before it fetches or pushes. @throws AppError `not_found`, `forbidden`, `scope_missing`, `workspace_archived` */
  async advertise(actor: Actor, name: string, service: GitService, protocol: string | undefined, signal: AbortSignal): Promise<Buffer> {
    const id = readId(name);
    const isPush = service === "git-receive-pack";
    const row = await loadWorkspace(this.#context, actor, isPush ? "workspace:edit" : "workspace:read", id);
    if (isPush) {
      if (actor.scopes !== undefined && !actor.scopes.some((scope) => covers(scope, "workspaces:write")))
        throw new AppError("scope_missing", {
          message: "This key was not made for changing workspaces: it lacks the scope `workspaces:write`.",
        });
      requireChangeable(row);
    }
    // The second version asks for names by itself.
    if (!isPush && speaksVersion2(protocol)) return advertise(service, { tip: null, tags: new Map() }, protocol);
    return advertise(service, await this.#standing(actor, id, signal), protocol);
  }

  /** Answers what a client asks for. @throws AppError `git_protocol`, `git_failed`, … */
  async fetch(actor: Actor, name: string, body: Buffer, protocol: string | undefined, signal: AbortSignal): Promise<Readable | Buffer> {
    const id = readId(name);
    await loadWorkspace(this.#context, actor, "workspace:read", id);
    if (body.length === 0) throw new AppError("git_protocol");
    const standing = await this.#standing(actor, id, signal);
    const listed = speaksVersion2(protocol) ? await listRefs(body, standing) : null;
    if (listed !== null) return listed;
    await touchWorkspace(this.#context.database.queries, id);
    const env = { MODE: "fetch", GIT_PROTOCOL: speaksVersion2(protocol) ? "version=2" : "" };
    const answer = answerByGit(this.#context, { tenant: actor.userId, repository: standing, env, stdin: body, signal });
    // A failure before the first byte is one of the request.
    const first = await answer.next();
    if (first.done === true) return Buffer.alloc(0);
    return Readable.from(chain(first.value, answer), { objectMode: false });
  }

  /** Takes in what a client has sent: all of it, or nothing and a word why. @throws AppError `git_protocol`, `payload_too_large`, `storage_full` */
  async push(
    actor: Actor,
    name: string,
    body: AsyncIterable<Uint8Array>,
    signal: AbortSignal,
  ): Promise<{ answer: Buffer; pushed: Pushed }> {
    const id = readId(name);
    await loadWorkspace(this.#context, actor, "workspace:edit", id);
    const reader = new ByteReader(body);
    const request = await readPushRequest(reader);
    if (request.commands.length === 0) return { answer: Buffer.alloc(0), pushed: { versions: [], refusal: null } };
    const pushed = await this.#take(actor, id, request, reader, signal);
    return { answer: reportPush(request, pushed), pushed };
  }

  async #take(actor: Actor, id: string, request: PushRequest, reader: ByteReader, signal: AbortSignal): Promise<Pushed> {
    try {
      if (request.isCut) throw new AppError("git_rejected", { message: `a push names at most ${mostCommands} branches and tags` });
      const main = request.commands.find(({ name }) => name === branch);
      const pack = bringsCommits(request) ? await this.#store(reader) : null;
      if (main === undefined) return { versions: [], refusal: null };
      if (pack === null || main.to === noCommit) throw new AppError("git_rejected", { message: "main cannot be deleted" });
      for (let left = mostTries; left > 0; left -= 1) {
        const standing = await this.#standing(actor, id, signal);
        requireChangeable(standing.row);
        if (main.from !== (standing.tip ?? noCommit)) throw new AppError("git_rejected", { message: "fetch first" });
        const versions = await this.#bringIn(actor, id, standing, main.to, pack, signal);
        if (versions !== null) return { versions, refusal: null };
      }
      throw new AppError("git_rejected", { message: "fetch first" });
    } catch (thrown) {
      const error = toAppError(thrown);
      if (error.status >= 500 && error.code !== "git_failed") throw thrown;
      return { versions: [], refusal: error.message.replaceAll(/\s+/g, " ").slice(0, 500) };
    }
  }

  async #store(reader: ByteReader): Promise<BlobRef> {
    try {
      return await this.#context.blobs.putStream(reader.pass(), { maxBytes: mostPackBytes });
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "payload_too_large") throw error;
      throw new AppError("git_rejected", {
        message: `a push takes at most ${mostPackBytes / 1024 / 1024} MiB: push fewer commits at once`,
        cause: error,
      });
    }
  }

  /** @returns the versions that were made; null when somebody was quicker without changing files */
  async #bringIn(actor: Actor, id: string, standing: Standing, to: string, sent: BlobRef, signal: AbortSignal): Promise<number[] | null> {
    const { blobs, trees, uploads } = this.#context;
    const isCompacting = standing.packs.length >= manyPacks;
    const limits = { VERSIONS: String(mostVersions), FACTS: String(mostFactBytes) };
    const env = { MODE: "receive", OLD: standing.tip ?? "", NEW: to, COMPACT: isCompacting ? "1" : "", ...limits };
    const files = [storedFile(blobs, "incoming", sent.sha256)];
    const left = await workByGit(this.#context, { tenant: actor.userId, repository: standing, env, files, signal });
    const base = standing.tree === null ? [] : await trees.read(standing.tree);
    const { commits, fresh } = await readReceived(blobs, left, base);
    if (commits.at(-1)?.id !== to) throw new AppError("git_failed");
    const pack = readPack(left);
    const replaced = isCompacting ? standing.packs : [];
    const kept = isCompacting ? [] : standing.packs;
    if (kept.reduce((sum, known) => sum + known.size, pack.size) > mostRepositoryBytes)
      throw new AppError("payload_too_large", { message: "All commits of the workspace are too large together." });
    const made: { commit: ReceivedCommit; tree: string }[] = [];
    for (const commit of commits) made.push({ commit, tree: (await trees.put(commit.entries)).sha256 });
    const versions: number[] = [];
    const also = async (work: Work) => {
      versions.length = 0;
      for (const { commit, tree } of made) {
        const version = { tree, message: commit.message, cause: "push" as const, by: actor.userId, commit };
        versions.push(await insertVersion(work, id, version));
      }
      // A version that was made meanwhile has no commit yet.
      if (versions[0] !== standing.row.last_version + 1) throw new AppError("revision_conflict");
      const move = { from: standing.tip, to, tree: made.at(-1)?.tree ?? "", lastVersion: versions.at(-1) ?? 0 };
      if (!(await store.moveTip(work, id, move))) throw new AppError("git_rejected", { message: "fetch first" });
      await store.putPack(work, id, pack, replaced);
    };
    await blobs.keep([pack.sha256, pack.index_sha256, ...made.map(({ tree }) => tree)]);
    // Who pushes has to have room for it, also for the pack, which its owner is counted for afterwards.
    const packRefs = [
      { sha256: pack.sha256, size: pack.size },
      { sha256: pack.index_sha256, size: pack.index_size },
    ];
    const counted = await uploads.recordUploads(actor, fresh);
    const lent = await orForgotten(this.#context, actor, counted, () => uploads.recordUploads(actor, packRefs));
    const mine = made.at(-1)?.commit.entries ?? [];
    const wish = { base, mine, onConflict: "refuse" as const, revision: standing.row.revision, also };
    try {
      await orForgotten(this.#context, actor, counted, () => putFiles(this.#context, actor, id, wish));
      return versions;
    } catch (error) {
      if (error instanceof AppError && error.code === "revision_conflict") return null;
      throw error;
    } finally {
      await uploads.forgetUploads(actor, lent);
    }
  }

  /** The repository, brought in line with the workspace first: what has changed since somebody asked becomes commits. */
  async #standing(actor: Actor, id: string, signal: AbortSignal): Promise<Standing> {
    const { queries } = this.#context.database;
    await this.#context.settleLive(id); // what is being written is in the commits too
    for (let left = mostTries; left > 0; left -= 1) {
      const known = await store.findRepository(queries, id);
      const packs = await store.listPacks(queries, id);
      const versions = await store.listVersionsSince(queries, id, known?.last_version ?? 0);
      // After the versions: what is there now must be no older than they are.
      const row = await findWorkspace(queries, id);
      if (row === undefined) throw new AppError("not_found");
      const waiting = findWaiting(row, known, versions);
      if (waiting.commits.length === 0) {
        await this.#note(id, known, waiting);
        const tags = new Map((await store.listTagged(queries, id)).map(({ number, commit }) => [`version-${number}`, commit]));
        return { row, tip: known?.tip ?? null, tree: known?.tree_sha256 ?? null, packs, tags };
      }
      const repository = { tip: known?.tip ?? null, packs, tags: new Map<string, string>() };
      await this.#commit(actor, row, repository, known, waiting, signal);
    }
    throw new AppError("conflict", { message: "Others write into this workspace all the time.", hint: "Try again." });
  }

  /** Versions that are no commit of their own. */
  async #note(id: string, known: store.RepositoryRow | undefined, { places, lastVersion }: Waiting) {
    if (known === undefined || lastVersion === known.last_version) return;
    await this.#context.database.queries.transaction().execute(async (work) => {
      const move = { from: known.tip, to: known.tip, tree: known.tree_sha256, lastVersion };
      if (await store.moveTip(work, id, move))
        await store.nameCommits(work, id, new Map([...places.keys()].map((number) => [number, known.tip])));
    });
  }

  /** Makes the commits and notes them, unless somebody else has done so: equal ones are equal whoever makes them. */
  async #commit(
    actor: Actor,
    { id, owner_id: ownerId }: WorkspaceRow,
    repository: Repository,
    known: store.RepositoryRow | undefined,
    { commits, places, lastVersion }: Waiting,
    signal: AbortSignal,
  ): Promise<void> {
    const { blobs, database } = this.#context;
    const from = { tip: repository.tip, tree: known?.tree_sha256 ?? null };
    const isCompacting = repository.packs.length >= manyPacks;
    const env = { MODE: "commit", COMPACT: isCompacting ? "1" : "" };
    const files = [{ path: "stream", mode: 0o644, content: streamCommits(this.#context, from, commits) }];
    const left = await workByGit(this.#context, { tenant: actor.userId, repository, env, files, signal });
    const marks = left.get("marks");
    const text = marks === undefined ? "" : (await blobs.get(marks.sha256)).toString();
    const ids = new Map([...text.matchAll(/^:(\d+) ([0-9a-f]{40})$/gm)].map(([, mark, commit]) => [Number(mark) - 1, commit ?? ""]));
    const tip = ids.get(commits.length - 1);
    if (tip === undefined) throw new AppError("git_failed");
    const pack = readPack(left);
    await blobs.keep([pack.sha256, pack.index_sha256]);
    const named = new Map([...places].flatMap(([number, place]) => [[number, ids.get(place) ?? repository.tip ?? ""] as const]));
    const move = { from: repository.tip, to: tip, tree: commits.at(-1)?.tree ?? "", lastVersion };
    await database.queries.transaction().execute((work) =>
      settling(work, [ownerId], async () => {
        if ((await lockWorkspace(work, id)) === undefined || !(await store.moveTip(work, id, move))) return;
        await store.putPack(work, id, pack, isCompacting ? repository.packs : []);
        await store.nameCommits(work, id, named);
      }),
    );
  }
}

interface Waiting {
  readonly commits: readonly Commit[];
  /** Which commit a version is, by its place among them; -1 is the tip that is known. */
  readonly places: ReadonlyMap<number, number>;
  readonly lastVersion: number;
}

/** What has to become commits: versions that somebody named, those whose files differ from the ones before, and what is there now. */
function findWaiting(row: WorkspaceRow, known: store.RepositoryRow | undefined, versions: readonly store.CommittedVersion[]): Waiting {
  const commits: Commit[] = [];
  const places = new Map<number, number>();
  let tree = known?.tree_sha256 ?? null;
  for (const version of versions) {
    if (version.tree_sha256 !== tree || version.cause === "manual") {
      const message = version.message === "" ? `Version ${version.number}` : version.message;
      const author = { id: version.created_by, name: version.creator_name };
      commits.push({ tree: version.tree_sha256, message, author, at: version.created_at });
      tree = version.tree_sha256;
    }
    places.set(version.number, commits.length - 1);
  }
  const isEmpty = tree === null && (row.file_count ?? 0) === 0;
  if (row.tree_sha256 !== tree && !isEmpty) {
    const author = { id: row.updated_by, name: row.updater_name };
    commits.push({ tree: row.tree_sha256, message: `Changes up to revision ${row.revision}`, author, at: row.updated_at });
  }
  return { commits, places, lastVersion: Math.max(known?.last_version ?? 0, versions.at(-1)?.number ?? 0) };
}

/** A workspace's id, as the last part of the address has it. @throws AppError `not_found` */
function readId(name: string): string {
  const id = workspaceForm.exec(name)?.[1];
  if (id === undefined) throw new AppError("not_found");
  return id;
}

function readPack(left: ReadonlyMap<string, BlobRef>): store.PackRow {
  const [pack, index] = [left.get("pack"), left.get("index")];
  if (pack === undefined || index === undefined) throw new AppError("git_failed");
  return { sha256: pack.sha256, size: pack.size, index_sha256: index.sha256, index_size: index.size };
}

async function* chain(first: Buffer, rest: AsyncGenerator<Buffer>): AsyncGenerator<Buffer> {
  yield first;
  yield* rest;
}
