import { AppError } from "@syla/contracts/errors";
import type { WorkspaceMirror, WorkspaceMirrorInput } from "@syla/contracts/workspace-mirrors";
import type { Actor } from "../../access/actor.ts";
import { refuseLimitedKey } from "../../access/service.ts";
import type { Imports } from "../../imports/service.ts";
import { notifyEach } from "../../notifications/service.ts";
import type { Queries } from "../../platform/database.ts";
import { toAppError } from "../../platform/http-problem.ts";
import type { Logger } from "../../platform/logger.ts";
import type { ConflictRule } from "../../platform/merge-trees.ts";
import type { RecurringWork } from "../../platform/recurring.ts";
import { orForgotten, putFiles, type FilesContext } from "../files.ts";
import { loadWorkspace, requireChangeable } from "../loading.ts";
import { findWorkspace, listOwners } from "../store.ts";
import { presentMirror } from "./presenter.ts";
import * as store from "./store.ts";
import { takenMs, TakenMirror } from "./taken.ts";

/** What mirrors are made of. */
export interface MirrorsContext extends FilesContext {
  readonly imports: Pick<Imports, "collectGit" | "checkGit">;
  /** Somebody as whom the server may act. @throws AppError `account_suspended`, `not_found` */
  readonly actFor: (userId: string) => Promise<Actor>;
  readonly logger: Logger;
}

const everyMs = 5000;
/** So many at once on a server: a repository whose server is slow holds up no others. */
const lanes = 3;
const mostDoublings = 5;
const mostWaitMs = 24 * 60 * 60_000;
const soonMs = 60_000;
/** What whoever set it has lost. It goes on when somebody sets it anew, or fetches it once that is mended. */
const ending = new Set(["account_suspended", "not_found", "forbidden", "git_url_invalid", "credential_unusable", "credential_missing"]);
/** What says nothing of the mirror: it is tried again soon. */
const passing = new Set([
  "shutting_down",
  "too_many_imports",
  "sandbox_unavailable",
  "conflict",
  "workspace_archived",
  "workspace_deleted",
]);

/** Workspaces that follow repositories of elsewhere. What changed there is put together with what is here, or nothing is changed. */
export class WorkspaceMirrors {
  readonly #context: MirrorsContext;

  constructor(context: MirrorsContext) {
    this.#context = context;
  }

  /** Null: it follows none. */
  async get(actor: Actor, id: string): Promise<WorkspaceMirror | null> {
    await loadWorkspace(this.#context, actor, "workspace:read", id);
    const row = await store.findMirror(this.#context.database.queries, id);
    return row === undefined ? null : presentMirror(row);
  }

  /** Sets it, and fetches at once. @throws AppError `git_url_invalid`, `credential_unusable`, … */
  async set(actor: Actor, id: string, input: WorkspaceMirrorInput, signal: AbortSignal): Promise<WorkspaceMirror> {
    refuseLimitedKey(actor, "mirrors");
    requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
    const { url, ref = null, path = null, credentialId = null, everyMinutes } = input;
    await this.#context.imports.checkGit(actor, url, credentialId);
    const { queries } = this.#context.database;
    const row = {
      workspace_id: id,
      // What follows is no part of the address, and may be a secret.
      url: url.replace(/[?#].*$/s, ""),
      ref,
      path,
      credential_id: credentialId,
      every_minutes: everyMinutes,
      created_by: actor.userId,
    };
    await queries.transaction().execute((work) => store.putMirror(work, row));
    const taken = await store.takeMirror(queries, id, takenMs);
    if (taken !== undefined) await this.#look(taken, "refuse", signal);
    return presentMirror(await this.#find(id));
  }

  /** Fetches it now. `theirs` is what the workspace has. @throws AppError `conflict` while somebody does so, `too_many_imports`, `sandbox_unavailable` */
  async fetch(actor: Actor, id: string, onConflict: ConflictRule, signal: AbortSignal): Promise<WorkspaceMirror> {
    requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
    await this.#find(id);
    const row = await store.takeMirror(this.#context.database.queries, id, takenMs);
    if (row === undefined) throw new AppError("conflict", { message: "It is being fetched.", hint: "Wait a moment." });
    const problem = await this.#look(row, onConflict, signal);
    if (problem !== null && passing.has(problem.code)) throw problem;
    return presentMirror(await this.#find(id));
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await loadWorkspace(this.#context, actor, "workspace:edit", id);
    if (!(await store.deleteMirror(this.#context.database.queries, id))) throw followsNone();
  }

  /** Fetches those whose time has come. Any number of servers may do so. */
  fetching(): RecurringWork {
    return {
      name: "workspace mirrors",
      everyMs,
      complaint: "workspaces could not be brought in line with their repositories",
      perform: async (signal) => await Promise.all(Array.from({ length: lanes }, () => this.#fetchDue(signal))),
    };
  }

  async #fetchDue(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const row = await store.takeDue(this.#context.database.queries, takenMs);
      if (row === undefined) return;
      const problem = await this.#look(row, "refuse", signal);
      if (problem !== null && problem.code !== row.problem_code && !passing.has(problem.code)) await this.#tell(row, problem);
    }
  }

  /** Looks at one that was taken, and lets go of it. @returns what was wrong */
  async #look(row: store.MirrorRow, onConflict: ConflictRule, signal: AbortSignal): Promise<AppError | null> {
    const { queries } = this.#context.database;
    using taken = new TakenMirror(queries, row);
    const problem = await this.#bringIn(taken, onConflict, signal).then(
      () => null,
      (thrown: unknown) => {
        const error = toAppError(signal.aborted ? new AppError("shutting_down") : thrown);
        if (error.code === "internal")
          this.#context.logger.error({ err: thrown, workspaceId: row.workspace_id }, "a mirror could not be fetched");
        return error;
      },
    );
    await taken.hold((held) => store.recordLook(queries, held, toLook(row, problem)));
    return problem;
  }

  async #bringIn(taken: TakenMirror, onConflict: ConflictRule, signal: AbortSignal): Promise<void> {
    const { trees, blobs, database, imports, uploads } = this.#context;
    const { row } = taken;
    const { workspace_id: id, url, ref, path, credential_id: credentialId } = row;
    const actor = await this.#require(row);
    const base = row.tree_sha256 === null ? [] : await trees.read(row.tree_sha256);
    const source = { kind: "git" as const, url, ref: ref ?? undefined, path: path ?? undefined, credentialId };
    // What came in before is counted already, or was deleted here.
    const known = new Set(base.map(({ sha256 }) => sha256));
    const { entries: mine, commit, counted } = await imports.collectGit(actor, source, known, signal);
    await orForgotten({ uploads }, actor, counted, async () => {
      // It may have taken minutes.
      await this.#require(row);
      const tree = (await trees.put(mine)).sha256;
      const record = (work: Queries) => taken.hold((held) => store.recordFiles(work, held, { commit, tree }));
      if (tree === row.tree_sha256) {
        if (commit !== row.commit_id) await record(database.queries);
        return;
      }
      await blobs.keep([tree]);
      const message = `Before commit ${commit.slice(0, 12)} of the mirrored repository came in`;
      const before = { cause: "before_import" as const, message };
      await putFiles(this.#context, actor, id, { base, mine, onConflict, before, also: record });
    });
  }

  /** Whoever set it, as long as they may change the workspace. @throws AppError */
  async #require({ created_by: userId, workspace_id: id }: store.MirrorRow): Promise<Actor> {
    try {
      if (userId === null) throw new AppError("not_found");
      const actor = await this.#context.actFor(userId);
      requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
      return actor;
    } catch (error) {
      if (!(error instanceof AppError) || !ending.has(error.code)) throw error;
      const message = "Whoever set the mirror may not change the workspace any more.";
      throw new AppError(error.code, { message, hint: "Somebody who may can set it anew.", cause: error });
    }
  }

  async #find(id: string): Promise<store.ShownMirror> {
    const row = await store.findMirror(this.#context.database.queries, id);
    if (row === undefined) throw followsNone();
    return row;
  }

  /** Tells whoever set it, and of its end those whose workspace it is. */
  async #tell({ workspace_id: id, created_by: userId, url }: store.MirrorRow, { code, message }: AppError): Promise<void> {
    const { queries } = this.#context.database;
    const workspace = await findWorkspace(queries, id);
    if (workspace === undefined) return;
    const isOver = ending.has(code);
    // What they gave may be gone; who lost the workspace itself is told nothing more of it.
    const setters = userId !== null && (!isOver || code.startsWith("credential_")) ? [userId] : [];
    const owners = isOver ? await listOwners(queries, workspace.owner_id) : [];
    await notifyEach(queries, [...new Set([...setters, ...owners])], {
      type: "system",
      title: isOver ? `“${workspace.name}” does not follow ${url} any more` : `Nothing came into “${workspace.name}” from ${url}`,
      body: message,
      link: `/workspaces/${id}?tab=settings`,
      details: { workspaceId: id },
    });
  }
}

/** When it is looked at next, later and later while it fails, and what is known of it. */
function toLook({ every_minutes: minutes, failures }: store.MirrorRow, problem: AppError | null): store.Look {
  const ownMs = minutes * 60_000;
  const after = (ms: number) => new Date(Date.now() + ms);
  if (problem === null) return { nextAt: after(ownMs), problem };
  if (passing.has(problem.code)) return { nextAt: after(soonMs), problem: undefined };
  const { code, details } = problem;
  const isDiverged = code === "workspace_conflict";
  const paths = isDiverged ? (details["paths"] as readonly string[]) : [];
  const waitMs = Math.max(ownMs, Math.min(ownMs * 2 ** Math.min(failures, mostDoublings), mostWaitMs));
  return {
    nextAt: ending.has(code) ? null : after(waitMs),
    problem: { code, message: isDiverged ? sayDiverged(paths, Number(details["count"])) : problem.message, paths },
  };
}

function sayDiverged([first = ""]: readonly string[], count: number): string {
  const others = count > 1 ? ` and ${count - 1} more` : "";
  return `The repository and the workspace have both changed ${JSON.stringify(first)}${others}. Nothing was changed.`;
}

function followsNone(): AppError {
  return new AppError("conflict", { message: "The workspace follows no repository.", hint: "Set one first." });
}
