import { assetRoutes, type BulkResult } from "@syla/contracts/assets";
import { AppError } from "@syla/contracts/errors";
import { ProgramSecret } from "@syla/contracts/program-config";
import { programRoutes } from "@syla/contracts/programs";
import { z } from "zod";
import type { Actor } from "../access/actor.ts";
import type { Http } from "../access/http.ts";
import type { Blobs } from "../platform/blobs.ts";
import { parseRange } from "../platform/byte-range.ts";
import { answer, type Answer } from "../platform/http-call.ts";
import { etagOf, readRevision, withEtag } from "../platform/revision.ts";
import type { TreeEntry } from "../platform/trees.ts";
import { changeMany, type BulkContext } from "./bulk.ts";
import { exportZip, type ExportContext } from "./export.ts";
import type { Catalog } from "./service.ts";
import type { Versions } from "./versions/service.ts";

/** Binds assets of every type. */
export function registerAssetRoutes(http: Http, catalog: Catalog): void {
  http.bind(assetRoutes.createAsset, async ({ body }, call) => {
    call.trail.details = secretsIn(body.config);
    const made = await catalog.create(call.actor, body);
    return answer(201, made, { ...etagOf(made), location: `/api/v1/assets/${made.id}` });
  });
  http.bind(assetRoutes.listAssets, async ({ query }, call) => await catalog.list(call.actor, query));
  http.bind(assetRoutes.deleteAsset, async ({ params }, call) => {
    await catalog.delete(call.actor, params.id);
    return answer(204);
  });
  http.bind(assetRoutes.restoreAsset, async ({ params }, call) => withEtag(await catalog.restore(call.actor, params.id)));
  http.bind(assetRoutes.listAssetUses, async ({ params }, call) => await catalog.uses(call.actor, params.id));
  http.bind(assetRoutes.getAsset, async ({ params }, call) => withEtag(await catalog.get(call.actor, params.id)));
  http.bind(assetRoutes.updateAsset, async ({ params, headers, body }, call) => {
    call.trail.details = { changed: Object.keys(body), ...secretsIn(body.config) };
    return withEtag(await catalog.update(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(assetRoutes.cloneAsset, async ({ params, body }, call) => {
    const made = await catalog.clone(call.actor, params.id, body);
    Object.assign(call.trail, { resourceId: made.id, details: { from: params.id } });
    return answer(201, made, { ...etagOf(made), location: `/api/v1/assets/${made.id}` });
  });
  http.bind(assetRoutes.transferAsset, async ({ params, body }, call) => {
    const given = await catalog.transfer(call.actor, params.id, body);
    call.trail.details = { to: given.owner.id };
    return given;
  });
  bindVersions(http, catalog.published);
}

function bindVersions(http: Http, versions: Versions): void {
  http.bind(assetRoutes.listVersions, async ({ params, query }, call) => await versions.list(call.actor, params.id, query));
  http.bind(assetRoutes.getVersion, async ({ params }, call) => await versions.get(call.actor, params.id, params.version));
  http.bind(assetRoutes.diffAsset, async ({ params, query }, call) => await versions.diff(call.actor, params.id, query));
  http.bind(assetRoutes.publishVersion, async ({ params, headers, body }, call) => {
    const published = await versions.publish(call.actor, params.id, body, readRevision(headers) ?? "*");
    call.trail.details = { version: published.version };
    return published;
  });
  http.bind(assetRoutes.restoreVersion, async ({ params, headers }, call) => {
    call.trail.details = { version: params.version };
    return withEtag(await versions.restore(call.actor, params.id, params.version, readRevision(headers)));
  });
}

/** Binds what is done with many assets at once. */
export function registerBulkRoutes(http: Http, context: BulkContext & ExportContext): void {
  http.bind(assetRoutes.changeAssets, async ({ body }, call) => {
    const results = await changeMany(context, call.actor, body);
    const { ids: _ids, ...what } = body;
    call.trail.details = { ...what, done: idsOf(results, true), refused: idsOf(results, false) };
    return { results };
  });
  const sendZip = async (actor: Actor, ids: readonly string[], gone: AbortSignal) =>
    answer(200, await exportZip(context, actor, ids, gone), {
      "content-type": "application/zip",
      "content-disposition": `attachment; filename="assets.zip"`,
      "cache-control": "private, no-store",
    });
  http.bind(assetRoutes.exportAssets, async ({ query }, call) => await sendZip(call.actor, query.ids.split(","), call.signal));
  http.bind(assetRoutes.exportManyAssets, async ({ body }, call) => {
    call.trail.details = { count: body.ids.length };
    return await sendZip(call.actor, body.ids, call.signal);
  });
}

/** Binds the files of programs. */
export function registerProgramRoutes(http: Http, catalog: Catalog, blobs: Blobs): void {
  http.bind(programRoutes.listProgramFiles, async ({ params, query }, call) => {
    const { tree, revision, entries } = await catalog.files(call.actor, params.id, query.version);
    return answer(200, { tree, revision, items: entries.map(toFile) }, etagOf({ revision }));
  });
  http.bind(programRoutes.readProgramFile, async ({ params, query, headers }, call) => {
    const { entries } = await catalog.files(call.actor, params.id, query.version);
    const entry = entries.find(({ path }) => path === query.path);
    if (entry === undefined) throw new AppError("file_not_found");
    return await sendFile(blobs, entry, headers.range);
  });
  http.bind(programRoutes.changeProgramFiles, async ({ params, headers, body }, call) => {
    call.trail.details = { changes: body.changes.length };
    return withEtag(await catalog.changeFiles(call.actor, params.id, body.changes, readRevision(headers)));
  });
}

const Secrets = z.object({ secrets: ProgramSecret.array() });

/** Which secrets a configuration gives to whom: not what they are. */
function secretsIn(config: unknown): Readonly<Record<string, unknown>> {
  const found = Secrets.safeParse(config);
  return found.success && found.data.secrets.length > 0 ? { secrets: found.data.secrets } : {};
}

function idsOf(results: readonly BulkResult[], ok: boolean): string[] {
  return results.filter((result) => result.ok === ok).map((result) => result.id);
}

async function sendFile(blobs: Blobs, { sha256, size, path }: TreeEntry, header: string | undefined): Promise<Answer> {
  const range = parseRange(header, size);
  const end = range === null ? size : range.offset + range.length;
  return answer(range === null ? 200 : 206, await blobs.open(sha256, range === null ? {} : { start: range.offset, end }), {
    "content-type": "application/octet-stream",
    "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(path.split("/").at(-1) ?? "file").replaceAll(/['()*]/g, "_")}`,
    "content-security-policy": "sandbox; default-src 'none'",
    "cache-control": "private, no-store",
    "accept-ranges": "bytes",
    "content-length": String(end - (range?.offset ?? 0)),
    "x-content-sha256": sha256,
    ...(range === null ? {} : { "content-range": `bytes ${range.offset}-${end - 1}/${size}` }),
  });
}

function toFile({ path, mode, size, sha256 }: TreeEntry) {
  return { path, size, sha256, executable: mode === 493 };
}
