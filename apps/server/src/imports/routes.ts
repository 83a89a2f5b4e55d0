import { importRoutes as routes } from "@syla/contracts/imports";
import type { Http } from "../access/http.ts";
import { answerEvents } from "../platform/event-stream.ts";
import { answer } from "../platform/http-call.ts";
import type { Imports } from "./service.ts";

/** Binds the way of programs into the catalog. */
export function registerImportRoutes(http: Http, imports: Imports): void {
  http.bind(routes.createImport, async ({ body }, { actor, trail }) => {
    const credentialId = body.source.kind === "git" ? (body.source.credentialId ?? null) : null;
    trail.details = { kind: body.source.kind, ...(credentialId === null ? {} : { credentialId }) };
    const created = await imports.create(actor, body);
    return answer(202, created, { location: `/api/v1/imports/${created.id}` });
  });
  http.bind(routes.listImports, ({ query }, { actor }) => imports.list(actor, query));
  http.bind(routes.getImport, ({ params }, { actor }) => imports.get(actor, params.id));
  http.bind(routes.diffImport, async ({ params }, { actor }) => await imports.diff(actor, params.id));
  http.bind(routes.listImportFiles, async ({ params }, { actor }) => ({ items: await imports.files(actor, params.id) }));
  http.bind(routes.getImportAnalysis, ({ params }, { actor }) => imports.analysis(actor, params.id));
  http.bind(routes.streamImport, ({ params, headers }, { actor, signal }) =>
    answerEvents(imports.follow(actor, params.id, Number(headers["last-event-id"] ?? 0), signal), signal),
  );
  http.bind(routes.listImportFolders, async ({ params }, { actor }) => ({ items: await imports.folders(actor, params.id) }));
  http.bind(routes.chooseImportFolder, async ({ params, body }, { actor, trail }) => {
    trail.details = { path: body.path };
    return answer(202, await imports.chooseFolder(actor, params.id, body.path));
  });
  http.bind(routes.confirmImport, async ({ params, body }, { actor }) => {
    const asset = await imports.confirm(actor, params.id, body);
    return answer(201, asset, { location: `/api/v1/assets/${asset.id}` });
  });
  http.bind(routes.cancelImport, ({ params }, { actor }) => imports.cancel(actor, params.id));
  http.bind(routes.listGitRefs, ({ body }, { actor, trail, signal }) => {
    // A secret that was used is noted, although nothing changed.
    trail.nothingChanged = body.credentialId == null;
    trail.details = { credentialId: body.credentialId ?? null };
    return imports.gitRefs(actor, body, signal);
  });
  http.bind(routes.listTemplates, () => ({ items: imports.templates() }));
}
