import type { BulkResult } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import { workspaceRoutes, type WorkspaceBulkInput } from "@syla/contracts/workspaces";
import type { Actor } from "../access/actor.ts";
import type { Http } from "../access/http.ts";
import { whileHeld } from "../access/service.ts";
import type { Blobs } from "../platform/blobs.ts";
import { attachment, contentAnswer } from "../platform/content-answer.ts";
import { answer } from "../platform/http-call.ts";
import { toAppError } from "../platform/http-problem.ts";
import { etagOf, readRevision, withEtag } from "../platform/revision.ts";
import { exportFiles, exportMany } from "./export.ts";
import type { Workspaces } from "./service.ts";

/** What is smaller is on its way before access could end. */
const heldBytes = 1024 * 1024;

/** Binds workspaces. */
export function registerWorkspaceRoutes(http: Http, workspaces: Workspaces, blobs: Blobs): void {
  http.bind(workspaceRoutes.listWorkspaces, async ({ query }, call) => await workspaces.list(call.actor, query));
  http.bind(workspaceRoutes.createWorkspace, async ({ body }, call) => {
    call.trail.details = { kind: body.kind, ...(body.source === undefined ? {} : { source: body.source.kind }) };
    const made = await workspaces.create(call.actor, body, call.signal);
    return answer(201, made, { ...etagOf(made), location: `/api/v1/workspaces/${made.id}` });
  });
  http.bind(workspaceRoutes.getWorkspace, async ({ params }, call) => withEtag(await workspaces.get(call.actor, params.id)));
  http.bind(workspaceRoutes.updateWorkspace, async ({ params, headers, body }, call) => {
    call.trail.details = { changed: Object.keys(body) };
    return withEtag(await workspaces.update(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(workspaceRoutes.deleteWorkspace, async ({ params, query }, call) => {
    if (query.forGood) call.trail.details = { forGood: true };
    await workspaces.delete(call.actor, params.id, query.forGood);
    return answer(204);
  });
  http.bind(workspaceRoutes.cloneWorkspace, async ({ params, body }, call) => {
    const made = await workspaces.clone(call.actor, params.id, body);
    Object.assign(call.trail, { resourceId: made.id, details: { from: params.id } });
    return answer(201, made, { ...etagOf(made), location: `/api/v1/workspaces/${made.id}` });
  });
  http.bind(workspaceRoutes.transferWorkspace, async ({ params, body }, call) => {
    const given = await workspaces.transfer(call.actor, params.id, body);
    call.trail.details = { to: given.owner.id };
    return given;
  });
  http.bind(workspaceRoutes.restoreWorkspace, async ({ params }, call) => withEtag(await workspaces.restore(call.actor, params.id)));
  http.bind(workspaceRoutes.suspendWorkspace, async ({ params }, call) => withEtag(await workspaces.suspend(call.actor, params.id)));
  http.bind(workspaceRoutes.archiveWorkspace, async ({ params }, call) => withEtag(await workspaces.archive(call.actor, params.id)));
  http.bind(workspaceRoutes.resumeWorkspace, async ({ params }, call) => withEtag(await workspaces.resume(call.actor, params.id)));
  http.bind(workspaceRoutes.changeWorkspaces, async ({ body }, call) => {
    const results = await changeMany(workspaces, call.actor, body);
    const idsOf = (ok: boolean) => results.filter((result) => result.ok === ok).map((result) => result.id);
    call.trail.details = { action: body.action, done: idsOf(true), refused: idsOf(false) };
    return { results };
  });
  http.bind(workspaceRoutes.exportWorkspaces, async ({ query }, call) =>
    answer(
      200,
      await exportMany({ workspaces, blobs }, call.actor, query.ids.split(","), call.signal),
      attachment("workspaces.zip", "application/zip"),
    ),
  );
  bindFiles(http, workspaces, blobs);
  bindVersions(http, workspaces);
}

function bindFiles(http: Http, workspaces: Workspaces, blobs: Blobs): void {
  http.bind(workspaceRoutes.listWorkspaceFiles, async ({ params, query }, call) => {
    const { tree, revision, entries } = await workspaces.files(call.actor, params.id, query.version);
    const items = entries.map(({ path, mode, size, sha256 }) => ({ path, size, sha256, executable: mode === 493 }));
    return answer(200, { tree, revision, items }, etagOf({ revision }));
  });
  http.bind(workspaceRoutes.readWorkspaceFile, async ({ params, query, headers }, call) => {
    const { entries } = await workspaces.files(call.actor, params.id, query.version);
    const entry = entries.find(({ path }) => path === query.path);
    if (entry === undefined) throw new AppError("file_not_found");
    const name = entry.path.split("/").at(-1) ?? "file";
    const type = { ...attachment(name, "application/octet-stream"), "x-content-sha256": entry.sha256 };
    const open: Blobs["open"] = async (sha256, range) => {
      const content = await blobs.open(sha256, range);
      if (entry.size < heldBytes) return content;
      const hold = await workspaces.hold(call.actor, params.id, call.signal).catch((error: unknown) => {
        content.destroy();
        throw error;
      });
      return whileHeld(content, [hold]);
    };
    return await contentAnswer({ open }, entry, headers, call.reply, type);
  });
  http.bind(
    workspaceRoutes.searchWorkspaceFiles,
    async ({ params, query }, call) => await workspaces.search(call.actor, params.id, query, call.signal),
  );
  http.bind(workspaceRoutes.changeWorkspaceFiles, async ({ params, headers, body }, call) => {
    call.trail.details = { changes: body.changes.length };
    return withEtag(await workspaces.changeFiles(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(workspaceRoutes.importIntoWorkspace, async ({ params, body }, call) => {
    call.trail.details = { source: body.source.kind, replace: body.replace };
    return withEtag(await workspaces.import(call.actor, params.id, body, call.signal));
  });
  http.bind(workspaceRoutes.exportWorkspace, async ({ params, query }, call) => {
    const { entries } = await workspaces.files(call.actor, params.id, query.version);
    const { name } = await workspaces.get(call.actor, params.id);
    const type = query.format === "zip" ? "application/zip" : "application/x-tar";
    const hold = await workspaces.hold(call.actor, params.id, call.signal);
    return answer(200, whileHeld(exportFiles({ blobs }, entries, query.format), [hold]), attachment(`${name}.${query.format}`, type));
  });
}

function bindVersions(http: Http, workspaces: Workspaces): void {
  http.bind(
    workspaceRoutes.listWorkspaceVersions,
    async ({ params, query }, call) => await workspaces.versions(call.actor, params.id, query),
  );
  http.bind(workspaceRoutes.snapshotWorkspace, async ({ params, body }, call) => {
    const made = await workspaces.snapshot(call.actor, params.id, body.message);
    call.trail.details = { version: made.number };
    return answer(201, made);
  });
  http.bind(workspaceRoutes.restoreWorkspaceVersion, async ({ params, headers }, call) => {
    call.trail.details = { version: params.number };
    return withEtag(await workspaces.restoreVersion(call.actor, params.id, params.number, readRevision(headers)));
  });
  http.bind(workspaceRoutes.diffWorkspace, async ({ params, query }, call) => await workspaces.diff(call.actor, params.id, query));
}

/** Does the same with many, one after another; what is refused for one is done for the others. */
async function changeMany(workspaces: Workspaces, actor: Actor, { action, ids }: WorkspaceBulkInput): Promise<BulkResult[]> {
  const results: BulkResult[] = [];
  for (const id of new Set(ids)) {
    try {
      await workspaces[action](actor, id);
      results.push({ id, ok: true, error: null });
    } catch (thrown) {
      const error = toAppError(thrown);
      // A fault of ours is none of this workspace's.
      if (error.status >= 500) throw thrown;
      results.push({ id, ok: false, error: { code: error.code, message: error.message, hint: error.hint } });
    }
  }
  return results;
}
