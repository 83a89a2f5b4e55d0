import { AppError } from "@syla/contracts/errors";
import type { WorkspaceMirror, WorkspaceMirrorInput } from "@syla/contracts/workspace-mirrors";
import type { Actor } from "../../access/actor.ts";
import { refuseLimitedKey } from "../../access/service.ts";
import type { Imports } from "../../imports/service.ts";
import { notify } from "../../notifications/service.ts";
import type { Work } from "../../platform/database.ts";
import { toAppError } from "../../platform/http-problem.ts";
import type { Logger } from "../../platform/logger.ts";
import type { ConflictRule } from "../../platform/merge-trees.ts";
import type { RecurringWork } from "../../platform/recurring.ts";
import { beforeImport, putFiles, type FilesContext } from "../files.ts";
import { loadWorkspace, requireChangeable } from "../loading.ts";
import * as store from "./store.ts";

/** What mirrors are made of. */
export interface MirrorsContext extends FilesContext {
  readonly imports: Pick<Imports, "collectGit" | "checkGit">;
  /** Somebody as whom the server may act. @throws AppError `account_suspended`, `not_found` */
  readonly actFor: (userId: string) => Promise<Actor>;
  readonly logger: Logger;
}

const everyMs = 5000;
/** A fetch is over by then, or its server is gone. */
const takenMs = 15 * 60_000;
const mostWaits = 5;
/** What ends a mirror, until somebody has seen to it and fetches. */
const ending = new Set(["account_suspended", "not_found", "forbidden", "workspace_deleted", "git_url_invalid"]);

/** Workspaces that take after repositories of elsewhere. What changed there is put together with what is here, or nothing is changed. */
export class WorkspaceMirrors {
  readonly #context: MirrorsContext;

  constructor(context: MirrorsContext) {
    this.#context = context;
  }

  async get(actor: Actor, id: string): Promise<WorkspaceMirror> {
    await loadWorkspace(this.#context, actor, "workspace:read", id);
    return present(await this.#find(id));
  }

  /** Sets it, and fetches at once. @throws AppError `git_url_invalid`, `credential_unusable`, … */
  async set(actor: Actor, id: string, input: WorkspaceMirrorInput, signal: AbortSignal): Promise<WorkspaceMirror> {
    refuseLimitedKey(actor, "mirrors");
    requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
    const { url, ref = null, path = null, credentialId = null, everyMinutes } = input;
    await this.#context.imports.checkGit(actor, url, credentialId);
    const row = { workspace_id: id, url, ref, path, credential_id: credentialId, every_minutes: everyMinutes, created_by: actor.userId };
    await this.#context.database.queries.transaction().execute((work) => store.putMirror(work, row));
    return await this.fetch(actor, id, "refuse", signal);
  }

  /** Fetches it now. `theirs` is what the repository has. @throws AppError `conflict` while somebody does so */
  async fetch(actor: Actor, id: string, onConflict: ConflictRule, signal: AbortSignal): Promise<WorkspaceMirror> {
    requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
    await this.#find(id);
    const row = await store.takeMirror(this.#context.database.queries, id, takenMs);
    if (row === undefined) throw new AppError("conflict", { message: "It is being fetched.", hint: "Wait a moment." });
    await this.#look(row, onConflict, signal);
    return present(await this.#find(id));
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await loadWorkspace(this.#context, actor, "workspace:edit", id);
    await this.#find(id);
    await store.deleteMirror(this.#context.database.queries, id);
  }

  /** Fetches those whose time has come. Any number of servers may do so. */
  fetching(): RecurringWork {
    return {
      name: "workspace mirrors",
      everyMs,
      complaint: "workspaces could not be brought in line with their repositories",
      perform: async (signal) => {
        while (!signal.aborted) {
          const row = await store.takeDue(this.#context.database.queries, takenMs);
          if (row === undefined) return;
          await this.#look(row, "refuse", signal);
        }
      },
    };
  }

  async #look(row: store.MirrorRow, onConflict: ConflictRule, signal: AbortSignal): Promise<void> {
    const { queries } = this.#context.database;
    let problem: store.Look["problem"] = null;
    try {
      await this.#bringIn(row, onConflict, signal);
    } catch (thrown) {
      const error = toAppError(signal.aborted ? new AppError("shutting_down") : thrown);
      if (error.code === "internal")
        this.#context.logger.error({ err: thrown, workspaceId: row.workspace_id }, "a mirror could not be fetched");
      problem = { code: error.code, message: error.message };
    }
    const waits = problem === null ? 0 : Math.min(row.failures, mostWaits);
    const isOver = problem !== null && ending.has(problem.code);
    const nextAt = isOver ? null : new Date(Date.now() + row.every_minutes * 60_000 * 2 ** waits);
    await store.recordLook(queries, row, { nextAt, problem });
    if (problem !== null && problem.code !== row.problem_code && problem.code !== "shutting_down") await this.#tell(row, problem.message);
  }

  async #bringIn(row: store.MirrorRow, onConflict: ConflictRule, signal: AbortSignal): Promise<void> {
    const { trees, blobs, imports, actFor } = this.#context;
    const { workspace_id: id, url, ref, path, credential_id: credentialId } = row;
    const actor = await actFor(row.created_by);
    requireChangeable(await loadWorkspace(this.#context, actor, "workspace:edit", id));
    const source = { kind: "git" as const, url, ref: ref ?? undefined, path: path ?? undefined, credentialId };
    const { entries: mine, commit } = await imports.collectGit(actor, source, signal);
    const tree = (await trees.put(mine)).sha256;
    if (tree === row.tree_sha256) return;
    const base = row.tree_sha256 === null ? [] : await trees.read(row.tree_sha256);
    await blobs.keep([tree]);
    const also = (work: Work) => store.recordFiles(work, id, { commit, tree });
    await putFiles(this.#context, actor, id, { base, mine, onConflict, before: beforeImport, also });
  }

  async #find(id: string): Promise<store.ShownMirror> {
    const row = await store.findMirror(this.#context.database.queries, id);
    if (row === undefined) throw new AppError("not_found", { message: "The workspace takes after no repository." });
    return row;
  }

  async #tell({ workspace_id: id, created_by: userId, url }: store.MirrorRow, message: string): Promise<void> {
    await notify(this.#context.database.queries, {
      userId,
      type: "system",
      title: `Nothing came in from ${url}`,
      body: message,
      link: `/workspaces/${id}?tab=versions`,
      details: { workspaceId: id },
    });
  }
}

function present(row: store.ShownMirror): WorkspaceMirror {
  return {
    url: row.url,
    ref: row.ref,
    path: row.path,
    credentialId: row.credential_id,
    everyMinutes: row.every_minutes,
    createdBy: { id: row.created_by, name: row.creator_name },
    commit: row.commit_id,
    changedAt: row.changed_at?.toISOString() ?? null,
    checkedAt: row.checked_at?.toISOString() ?? null,
    nextAt: row.next_at?.toISOString() ?? null,
    problem: row.problem_code === null ? null : { code: row.problem_code, message: row.problem_message ?? "" },
  };
}
