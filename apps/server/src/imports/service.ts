import { setTimeout as sleep } from "node:timers/promises";
import { Analysis, AnalysisDocument } from "@syla/contracts/analysis";
import type { Asset, AssetDiff } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import type {
  GitRefs,
  Import,
  ImportConfirmation,
  ImportEvent,
  ImportFile,
  ImportFolder,
  ImportInput,
  ImportState,
  Template,
} from "@syla/contracts/imports";
import { SandboxError } from "@syla/sandbox/spec";
import type { Actor } from "../access/actor.ts";
import { requirePermission } from "../access/service.ts";
import type { Uploads } from "../catalog/files.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Credentials } from "../credentials/service.ts";
import type { BlobRef } from "../platform/blobs.ts";
import type { Database } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import type { Logger } from "../platform/logger.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import type { Notifications } from "../platform/notifications.ts";
import type { Service } from "../platform/service.ts";
import { diffFiles } from "../platform/diff-files.ts";
import type { TreeDiff, TreeEntry } from "../platform/trees.ts";
import type { Analyses } from "../programs/analysis/service.ts";
import type { KeptAnalyses } from "../programs/analysis/kept/service.ts";
import type { Runtimes } from "../runtimes/service.ts";
import { create, type CreationContext } from "./creation.ts";
import type { GatheredFiles } from "./file-sink.ts";
import { gather, gatherFiles, type Gathered, type GatherContext } from "./gather.ts";
import { readGitAddress } from "./git/address.ts";
import { openGitLogin, requireOneLogin, type GitAccess } from "./git/login.ts";
import type { GitLogin } from "./git/service.ts";
import { filesBelow, listFolders } from "./folders.ts";
import { confirmations, isWorking, sources, StoredSource, toImport } from "./presenter.ts";
import * as store from "./store.ts";
import { remarksOn } from "./remarks.ts";
import { nameAfter, suggest } from "./suggestion.ts";
import { ImportWatchers } from "./watchers.ts";

const reviewMs = 24 * 60 * 60 * 1000;
const keptDays = 30;
const mostAtOnce = 3;
const lookEveryMs = 15_000;
const saveEveryMs = 500;

/** What imports are made of. */
export interface ImportsContext extends GatherContext, CreationContext {
  readonly database: Database;
  readonly notifications: Notifications;
  readonly catalog: Catalog;
  readonly uploads: Uploads;
  readonly analyses: Pick<Analyses, "analyse">;
  readonly keptAnalyses: Pick<KeptAnalyses, "keep" | "note">;
  readonly runtimes: Runtimes;
  readonly credentials: Pick<Credentials, "requireUsable" | "reveal">;
  /** Listed with those of programs; nothing has to be looked at before one begins with them. */
  readonly compositionTemplates: () => Template[];
  readonly logger: Logger;
  readonly workerId: string;
}

/** What can be brought in at once. */
type CollectedSource = Extract<ImportInput["source"], { readonly kind: "archive" | "git" | "template" }>;

/** Programs on their way in: fetched, looked at, shown to their owner, made. What a killed server left goes on in the next. */
export class Imports implements Service {
  readonly name = "imports";
  readonly #context: ImportsContext;
  readonly #watchers: ImportWatchers;
  readonly #stopping = new AbortController();
  readonly #working = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();

  constructor(context: ImportsContext) {
    this.#context = context;
    this.#watchers = new ImportWatchers(context.notifications);
  }

  async run(): Promise<void> {
    const { queries } = this.#context.database;
    while (!this.#stopping.signal.aborted) {
      try {
        await store.expireImports(queries, keptDays);
        for (let row = await store.takeAbandoned(queries, this.#context.workerId); row !== undefined;) {
          await this.#resume(row);
          row = await store.takeAbandoned(queries, this.#context.workerId);
        }
      } catch (err) {
        this.#context.logger.warn({ err }, "imports could not be looked after");
      }
      await sleep(lookEveryMs, undefined, { ref: false, signal: this.#stopping.signal }).catch(() => {});
    }
  }

  async drain(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#working.values()].map((work) => work.done));
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    for (const { abort } of this.#working.values()) abort.abort(new ServerStopError());
    await Promise.all([...this.#working.values()].map((work) => work.done));
  }

  templates(): Template[] {
    return [...this.#context.templates.list(), ...this.#context.compositionTemplates()];
  }

  /** @throws AppError `credential_…`, `git_…` */
  async gitRefs(actor: Actor, { url, ...access }: { readonly url: string } & GitAccess, signal: AbortSignal): Promise<GitRefs> {
    requirePermission(actor, "asset:create");
    requireOneLogin(access, "credentialId");
    const stored = access.credentialId ?? null;
    const login = stored === null ? access : await openGitLogin(this.#context.credentials, actor, stored, url, "credentialId");
    return await this.#context.git.refs(actor, url, login, signal);
  }

  /** @throws AppError `forbidden`, `too_many_imports`, `blob_unknown`, `template_unknown`, `import_empty`, `import_too_large`, … */
  async create(actor: Actor, { source, assetId }: ImportInput): Promise<Import> {
    const { database, catalog, templates, uploads, blobs } = this.#context;
    requirePermission(actor, "asset:create");
    if (assetId !== undefined) await catalog.resolve(actor, "asset:edit", assetId, undefined, "program");
    // Before the work of taking the files in; the limit is kept where the row is made.
    if ((await store.countWorking(database.queries, actor.userId)) >= mostAtOnce) throw tooMany();
    if (source.kind === "template") templates.get(source.template);
    if (source.kind === "clone") await catalog.resolve(actor, "asset:read", source.assetId, source.version, "program");
    const hashes =
      source.kind === "archive"
        ? [source.blob]
        : source.kind === "files"
          ? source.files.flatMap((file) => ("blob" in file ? [file.blob] : []))
          : [];
    const known = await uploads.uploadSizes(actor.userId, hashes);
    if (source.kind === "archive" && !known.has(source.blob))
      throw new AppError("blob_unknown", { fields: [{ path: "source.blob", message: "not uploaded by you" }] });
    await blobs.keep(hashes);
    const stored = { ...toStored(source), credentialId: await this.#gitCredential(actor, source, assetId) };
    const files = source.kind === "files" ? await gatherFiles(blobs, source.files, (sha256) => known.has(sha256)) : null;
    const row = await this.#insert({
      id: newId("imp"),
      owner_id: actor.userId,
      state: "fetching",
      source: JSON.stringify(stored),
      archive_sha256: source.kind === "archive" ? source.blob : null,
      asset_id: assetId ?? null,
      worker_id: this.#context.workerId,
      expires_at: new Date(Date.now() + reviewMs),
      ...(files === null ? {} : await this.#filesOf(actor, files)),
    });
    const login = source.kind === "git" ? { username: source.username, token: source.token } : {};
    this.#begin(row, actor, login, files);
    return await this.#present(actor, row);
  }

  /** The files of a source at once, for what is no program. They count to what the actor has stored. @throws AppError */
  async collect(actor: Actor, source: CollectedSource, signal: AbortSignal): Promise<readonly TreeEntry[]> {
    return (await this.#collect(actor, source, new Set(), signal)).entries;
  }

  /**
   * Files of a repository, the commit that they are of, and what was counted for the actor: all that is not `known`.
   *
   * @throws AppError `git_…`, `credential_…`, `import_too_large`, `too_many_imports`, `sandbox_unavailable`, …
   */
  async collectGit(
    actor: Actor,
    source: Extract<CollectedSource, { readonly kind: "git" }>,
    known: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<{ entries: readonly TreeEntry[]; commit: string; counted: readonly BlobRef[] }> {
    const { entries, source: found, counted } = await this.#collect(actor, source, known, signal);
    return { entries, commit: found.commit ?? "", counted };
  }

  /** Whether somebody may read an address with a credential, as far as that can be told without going there. @throws AppError `git_url_invalid`, `credential_…` */
  async checkGit(actor: Actor, url: string, credentialId: string | null): Promise<void> {
    const address = readGitAddress(url).url;
    if (credentialId !== null)
      await this.#context.credentials.requireUsable(actor, credentialId, { kind: "git", url: address, path: "credentialId" });
  }

  async #collect(
    actor: Actor,
    source: CollectedSource,
    known: ReadonlySet<string>,
    signal: AbortSignal,
  ): Promise<Gathered & { readonly counted: readonly BlobRef[] }> {
    const { database, templates, uploads, blobs } = this.#context;
    if ((await store.countWorking(database.queries, actor.userId)) >= mostAtOnce) throw tooMany();
    if (source.kind === "template") templates.get(source.template);
    const archive = source.kind === "archive" ? source.blob : null;
    if (archive !== null && !(await uploads.uploadSizes(actor.userId, [archive])).has(archive))
      throw new AppError("blob_unknown", { fields: [{ path: "source.blob", message: "not uploaded by you" }] });
    if (archive !== null) await blobs.keep([archive]);
    const credentialId = await this.#gitCredential(actor, source, undefined);
    const token = source.kind === "git" ? { username: source.username, token: source.token } : {};
    const login =
      credentialId === null || source.kind !== "git"
        ? token
        : await openGitLogin(this.#context.credentials, actor, credentialId, source.url, "source.credentialId");
    const nobody = () => {};
    const job = { actor, source: toStored(source), archive, login, signal, onProgress: nobody, onPhase: nobody };
    const gathered = await gather(this.#context, job).catch((error: unknown) => {
      throw error instanceof SandboxError ? toAppError(error) : error;
    });
    const fresh = gathered.entries.filter(({ sha256 }) => !known.has(sha256));
    return { ...gathered, counted: await uploads.recordUploads(actor, fresh) };
  }

  async #insert(row: Parameters<typeof store.insertImport>[1]): Promise<store.ImportRow> {
    const inserted = await store.insertImport(this.#context.database, row, mostAtOnce);
    if (inserted === undefined) throw tooMany();
    return inserted;
  }

  /** The credential that a repository is read with; when nothing is said, the one that the program was read with before. */
  async #gitCredential(actor: Actor, source: ImportInput["source"], assetId: string | undefined): Promise<string | null> {
    if (source.kind !== "git") return null;
    requireOneLogin(source, "source.credentialId");
    const isOpen = source.credentialId === undefined && source.token === undefined;
    const id = isOpen && assetId !== undefined ? await this.#credentialBefore(actor, assetId, source.url) : (source.credentialId ?? null);
    if (id !== null)
      await this.#context.credentials.requireUsable(actor, id, {
        kind: "git",
        url: readGitAddress(source.url).url,
        path: "source.credentialId",
      });
    return id;
  }

  /** None for another server than before. */
  async #credentialBefore(actor: Actor, assetId: string, url: string): Promise<string | null> {
    const { importSource } = await this.#context.catalog.get(actor, assetId);
    if (importSource?.kind !== "git" || importSource.url == null || importSource.credentialId == null) return null;
    return new URL(importSource.url).origin === new URL(readGitAddress(url).url).origin ? importSource.credentialId : null;
  }

  async get(actor: Actor, id: string): Promise<Import> {
    return await this.#present(actor, await this.#find(actor, id));
  }

  async list(
    actor: Actor,
    query: { readonly cursor?: string | undefined; readonly limit: number; readonly state?: ImportState | undefined },
  ): Promise<{ items: Import[]; nextCursor: string | null }> {
    const page = { limit: query.limit, before: readCursor(query.cursor), state: query.state };
    const rows = await store.listImports(this.#context.database.queries, actor.userId, page);
    return toPage(
      rows,
      query.limit,
      (row) => row.id,
      (row) => toImport(row, { analysis: null, diff: null }),
    );
  }

  async files(actor: Actor, id: string): Promise<ImportFile[]> {
    const row = await this.#find(actor, id);
    if (row.tree_sha256 === null) throw new AppError("import_state");
    const entries = await this.#context.trees.read(row.tree_sha256);
    return entries.map(({ path, size, mode }) => ({ path, size, executable: mode === 493 }));
  }

  /** How it differs from the program that it is for. @throws AppError `import_state` unless it waits to replace files */
  async diff(actor: Actor, id: string): Promise<Pick<AssetDiff, "files" | "omitted">> {
    const difference = await this.#difference(actor, await this.#find(actor, id));
    if (difference === null) throw new AppError("import_state");
    return await diffFiles(this.#context.blobs, difference);
  }

  /** What its files are. @throws AppError `import_state` while nobody has looked at them */
  async analysis(actor: Actor, id: string): Promise<AnalysisDocument> {
    const { analysis_sha256: sha256 } = await this.#find(actor, id);
    if (sha256 === null) throw new AppError("import_state");
    return AnalysisDocument.parse(JSON.parse((await this.#context.blobs.get(sha256)).toString()));
  }

  async folders(actor: Actor, id: string): Promise<ImportFolder[]> {
    const { runtimes, trees } = this.#context;
    const row = await this.#find(actor, id);
    const whole = row.whole_tree_sha256 ?? row.tree_sha256;
    if (whole === null) throw new AppError("import_state");
    return listFolders(
      await trees.read(whole),
      runtimes.list().map(({ defaultEntrypoint }) => defaultEntrypoint),
    );
  }

  /** Narrows it to a folder, or, with null, takes all again; then it is looked at anew. @throws AppError `import_state`, `file_not_found` */
  async chooseFolder(actor: Actor, id: string, folder: string | null): Promise<Import> {
    const { database, trees, workerId } = this.#context;
    const row = await this.#find(actor, id);
    const whole = row.whole_tree_sha256 ?? row.tree_sha256;
    if (row.state !== "review" || whole === null) throw new AppError("import_state");
    const path = folder?.replace(/^\/+|\/+$/g, "") ?? "";
    const chosen = path === "" ? null : path;
    const tree = await trees.put(filesBelow(await trees.read(whole), chosen));
    const change = {
      state: "analysing",
      phase: "analyse",
      worker_id: workerId,
      folder: chosen,
      whole_tree_sha256: whole,
      tree_sha256: tree.sha256,
      files: tree.files,
      bytes: tree.bytes,
      analysis_sha256: null,
      suggestion: null,
    } as const;
    const begun = await store.whenFewer(database, actor.userId, mostAtOnce, async (work) => ({
      row: await store.changeImport(work, id, ["review"], change),
    }));
    if (begun === undefined) throw tooMany();
    if (begun.row === undefined) throw new AppError("import_state");
    this.#begin(begun.row, actor, {}, null);
    return await this.#present(actor, begun.row);
  }

  /** What happens with it after `lastSeq`, up to and with `end`. Each event tells the whole state, so none is missed by who comes back. */
  async *follow(actor: Actor, id: string, lastSeq: number, gone: AbortSignal): AsyncGenerator<ImportEvent, void, void> {
    let row = await this.#find(actor, id);
    const watch = await this.#watchers.watch(id);
    try {
      // Each event tells all that is known: who comes back is told what is newer than what they have seen, and nothing twice.
      for (let seen = lastSeq > row.progress_seq ? 0 : lastSeq; !gone.aborted;) {
        const { state, phase, files, bytes, progress_seq: seq } = row;
        const time = new Date().toISOString();
        if (!isWorking(state)) return yield { type: "end", seq: Math.max(seq, lastSeq + 1), time, import: await this.#present(actor, row) };
        if (seq > seen) {
          seen = seq;
          yield { type: "progress", seq, time, state, phase, files, bytes };
        }
        await watch.changed(gone);
        row = await this.#find(actor, id);
      }
    } finally {
      watch.end();
    }
  }

  async cancel(actor: Actor, id: string): Promise<Import> {
    await this.#find(actor, id);
    const changed = await store.changeImport(this.#context.database.queries, id, ["fetching", "analysing", "review"], {
      state: "cancelled",
    });
    if (changed === undefined) throw new AppError("import_state");
    this.#working.get(id)?.abort.abort(new AppError("import_state", { message: "The import was cancelled." }));
    return await this.#present(actor, changed);
  }

  /**
   * Makes the program. Confirmed twice at once it is made once. When the program that it is for has been changed since the import was held against it,
   * nothing is replaced: the import is held against what is there now, and may be confirmed again.
   *
   * @throws AppError `import_state`, `entrypoint_missing`, `name_taken`, `version_taken`, `revision_conflict`
   */
  async confirm(actor: Actor, id: string, confirmation: ImportConfirmation): Promise<Asset> {
    await this.#find(actor, id);
    const { queries } = this.#context.database;
    const row = await store.changeImport(queries, id, ["review"], {
      state: "creating",
      confirmation: JSON.stringify(confirmation),
      worker_id: this.#context.workerId,
    });
    if (row === undefined) throw new AppError("import_state");
    return await this.#make(row, actor, confirmation);
  }

  async #make(row: store.ImportRow, actor: Actor, confirmation: ImportConfirmation): Promise<Asset> {
    const { queries } = this.#context.database;
    try {
      const asset = await create(this.#context, actor, row, confirmation);
      await store.changeImport(queries, row.id, ["creating"], { state: "created", asset_id: asset.id });
      // The same files as were looked at, or, when some were left out, looked at again.
      if (asset.tree !== null) await this.#context.keptAnalyses.note(actor, asset.tree.sha256, true);
      return asset;
    } catch (error) {
      // What failed after it was made is made all the same: nobody may confirm it otherwise.
      const made = await store.findMade(queries, row.id);
      if (made !== undefined) await store.changeImport(queries, row.id, ["creating"], { state: "created", asset_id: made });
      else
        await store.changeImport(queries, row.id, ["creating"], { ...(await this.#backToReview(actor, row, error)), confirmation: null });
      throw isConflict(error) ? outdated(error) : error;
    }
  }

  async #backToReview(actor: Actor, row: store.ImportRow, error: unknown) {
    return { state: "review", ...(isConflict(error) ? { asset_revision: await this.#revisionOf(actor, row) } : {}) } as const;
  }

  /** Of the program that an import is for; null: it makes a new one. @throws AppError `not_found`, `asset_deleted` */
  async #revisionOf(actor: Actor, { asset_id: id }: store.ImportRow): Promise<number | null> {
    return id === null ? null : (await this.#context.catalog.resolve(actor, "asset:read", id, undefined, "program")).asset.revision;
  }

  async #resume(row: store.ImportRow): Promise<void> {
    const { queries } = this.#context.database;
    const owner = await store.findOwner(queries, row.owner_id);
    if (owner === undefined) return await this.#fail(row.id, new AppError("account_suspended"));
    const actor: Actor = { userId: row.owner_id, role: owner.role, via: "token" };
    if (row.state === "creating") {
      const made = await store.findMade(queries, row.id);
      if (made !== undefined) return void (await store.changeImport(queries, row.id, ["creating"], { state: "created", asset_id: made }));
      const confirmation = confirmations.parse(row.confirmation ?? {});
      await this.#make(row, actor, confirmation).catch((err: unknown) =>
        this.#context.logger.warn({ err, id: row.id }, "an import could not be made"),
      );
    } else if (row.state === "fetching" && sources.parse(row.source).hadToken) {
      const hint = "Begin again: the token was not stored.";
      await this.#fail(row.id, new AppError("git_denied", { message: "The server was restarted while the repository was read.", hint }));
    } else this.#begin(row, actor, {}, null);
  }

  /** Works on an import until somebody has to look at it. */
  #begin(row: store.ImportRow, actor: Actor, login: GitLogin, files: GatheredFiles | null): void {
    const abort = new AbortController();
    const done = this.#advance(row, actor, login, files, abort.signal)
      .catch(async (error: unknown) => {
        if (abort.signal.reason instanceof ServerStopError) return; // the next server goes on
        await this.#fail(row.id, error);
      })
      .catch((err: unknown) => this.#context.logger.warn({ err, id: row.id }, "the failure of an import could not be recorded"))
      .finally(() => this.#working.delete(row.id));
    this.#working.set(row.id, { abort, done });
  }

  async #advance(row: store.ImportRow, actor: Actor, login: GitLogin, files: GatheredFiles | null, signal: AbortSignal): Promise<void> {
    const { database, trees } = this.#context;
    let source = sources.parse(row.source);
    let current = row;
    let folder = files?.folder ?? null;
    if (row.state === "fetching") {
      let told = 0;
      const onProgress = (count: number, bytes: number) => {
        if (Date.now() - told < saveEveryMs) return;
        told = Date.now();
        void store.changeImport(database.queries, row.id, ["fetching"], { files: count, bytes }).catch(() => {});
      };
      const onPhase = (phase: "fetch" | "limits") =>
        void store.changeImport(database.queries, row.id, ["fetching"], { phase }).catch(() => {});
      let change = {};
      if (row.tree_sha256 === null) {
        const stored = source.credentialId;
        const access =
          stored === null ? login : await openGitLogin(this.#context.credentials, actor, stored, source.name ?? "", "source.credentialId");
        const job = { actor, source, archive: row.archive_sha256, login: access, signal, onProgress, onPhase };
        const found = await gather(this.#context, job);
        ({ source, folder } = found);
        change = { ...(await this.#filesOf(actor, found)), source: JSON.stringify(source) };
      }
      const next = await store.changeImport(database.queries, row.id, ["fetching"], { ...change, state: "analysing", phase: "analyse" });
      if (next === undefined) return;
      current = next;
    }
    if (current.tree_sha256 === null) throw new Error("an import without files is being analysed");
    const entries = await trees.read(current.tree_sha256);
    const analysis = await this.#analyse(actor, entries, signal);
    // Of what is there already somebody has said what it needs, be it nothing.
    const mayGuess = current.asset_id === null && source.kind !== "template" && source.kind !== "clone";
    const suggestion = suggest(
      { name: nameAfter({ ...source, path: current.folder ?? source.path }, folder), entries, analysis: analysis.found, mayGuess },
      this.#context.runtimes,
    );
    if (analysis.found !== null) await this.#context.keptAnalyses.keep(current.tree_sha256, analysis.found);
    const stored = analysis.found === null ? null : await this.#context.blobs.put(Buffer.from(JSON.stringify(analysis.found)));
    const named =
      source.kind === "template" && current.folder === null
        ? { ...suggestion, ...configOf(this.#context.templates.get(source.name ?? "")) }
        : suggestion;
    // Before anybody is shown how it differs: what is changed later is not overwritten unseen.
    const revision = await this.#revisionOf(actor, current);
    await store.changeImport(database.queries, row.id, ["analysing"], {
      state: "review",
      asset_revision: revision,
      analysis_sha256: stored?.sha256 ?? null,
      suggestion: JSON.stringify(named),
      problems: JSON.stringify([...(current.gather_problems as object[]), ...remarksOn(named, analysis.found), ...analysis.problems]),
      expires_at: new Date(Date.now() + reviewMs),
    });
  }

  /** What cannot be analysed can be imported all the same. */
  async #analyse(
    actor: Actor,
    entries: readonly TreeEntry[],
    signal: AbortSignal,
  ): Promise<{ found: Analysis | null; problems: object[] }> {
    try {
      const found = await this.#context.analyses.analyse(
        actor,
        entries.map(({ path, sha256 }) => ({ path, blob: sha256 })),
        signal,
      );
      const problems = found.problems.slice(0, 500).map(({ severity, code, file, line, column, message }) => ({
        severity: severity === "error" ? "warning" : severity,
        code,
        path: file,
        line,
        column,
        message,
      }));
      return { found, problems };
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      const message = `The files could not be looked at: ${error.message}`;
      return { found: null, problems: [{ severity: "warning", code: error.code, path: null, message }] };
    }
  }

  /** The columns of files that came in; they count to what their owner has stored. */
  async #filesOf(actor: Actor, { entries, problems }: GatheredFiles) {
    if (entries.length === 0) {
      const [problem] = problems;
      throw new AppError("import_empty", {
        message: `There is no file in it that can be taken.${problem === undefined ? "" : ` ${problem.path ?? ""}: ${problem.message}`}`,
      });
    }
    await this.#context.uploads.recordUploads(actor, entries);
    const tree = await this.#context.trees.put(entries);
    return {
      tree_sha256: tree.sha256,
      files: tree.files,
      bytes: tree.bytes,
      problems: JSON.stringify(problems),
      gather_problems: JSON.stringify(problems),
    };
  }

  async #fail(id: string, error: unknown): Promise<void> {
    const known = toAppError(error);
    if (known.code === "internal") this.#context.logger.error({ err: error, id }, "an import failed");
    const { code, message, hint } = known;
    await store.changeImport(this.#context.database.queries, id, ["fetching", "analysing", "creating"], {
      state: "failed",
      error: JSON.stringify({ code, message, hint }),
    });
  }

  async #find(actor: Actor, id: string): Promise<store.ImportRow> {
    const row = id.includes("\0") ? undefined : await store.findImport(this.#context.database.queries, actor.userId, id);
    if (row === undefined) throw new AppError("not_found");
    return row;
  }

  async #present(actor: Actor, row: store.ImportRow): Promise<Import> {
    const { blobs } = this.#context;
    const analysis = row.analysis_sha256 === null ? null : Analysis.parse(JSON.parse((await blobs.get(row.analysis_sha256)).toString()));
    const diff = await this.#difference(actor, row);
    if (diff === null) return toImport(row, { analysis, diff });
    const pathsOf = (entries: readonly TreeEntry[]) => entries.map((entry) => entry.path);
    return toImport(row, {
      analysis,
      diff: { added: pathsOf(diff.added), removed: pathsOf(diff.removed), changed: diff.changed.map(({ to }) => to.path) },
    });
  }

  /** Null: there is nothing that it would replace now. */
  async #difference(actor: Actor, row: store.ImportRow): Promise<TreeDiff | null> {
    if (row.state !== "review" || row.asset_id === null || row.tree_sha256 === null) return null;
    const { tree } = await this.#context.catalog.resolve(actor, "asset:read", row.asset_id, undefined, "program");
    return await this.#context.trees.diff(tree?.sha256 ?? null, row.tree_sha256);
  }
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  return new AppError(error instanceof SandboxError ? "sandbox_unavailable" : "internal", { cause: error });
}

function isConflict(error: unknown): error is AppError {
  return error instanceof AppError && error.code === "revision_conflict";
}

/** What whoever confirms an import can do about it. */
function outdated({ details }: AppError): AppError {
  return new AppError("revision_conflict", {
    message: "The program has been changed since the import was held against it. Nothing was replaced.",
    hint: "Look at what the import changes now, and confirm it again.",
    details,
  });
}

/** The server is stopping: an import is not at fault. */
class ServerStopError extends Error {
  override readonly name = "ServerStopError";
}

function toStored(source: ImportInput["source"]): StoredSource {
  switch (source.kind) {
    case "files":
      return StoredSource.parse({ kind: "files" });
    case "archive":
      return StoredSource.parse({ kind: "archive", name: source.name ?? null });
    case "git":
      return StoredSource.parse({
        kind: "git",
        name: source.url,
        ref: source.ref ?? null,
        path: source.path ?? null,
        hadToken: source.token !== undefined,
      });
    case "template":
      return StoredSource.parse({ kind: "template", name: source.template });
    case "clone":
      return StoredSource.parse({ kind: "clone", name: source.assetId, version: source.version ?? null });
  }
}

function configOf({
  title,
  needsModel,
  config,
}: {
  readonly title: string;
  readonly needsModel: boolean;
  readonly config: { readonly runtime: string; readonly runtimeVersion: string | null; readonly entrypoint: string };
}) {
  const { runtime, runtimeVersion, entrypoint } = config;
  return { name: title, runtime, runtimeVersion, entrypoint, needsModel };
}

function tooMany(): AppError {
  return new AppError("too_many_imports", { retryAfter: 5 });
}
