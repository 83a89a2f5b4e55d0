import { compositionRoutes as routes } from "@syla/contracts/compositions";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { etagOf, readRevision, withEtag } from "../platform/revision.ts";
import type { Compositions } from "./service.ts";

/** Binds what is particular to compositions. */
export function registerCompositionRoutes(http: Http, compositions: Compositions): void {
  http.bind(routes.createComposition, async ({ body }, call) => {
    const made = await compositions.create(call.actor, body);
    const { asset, missing } = made;
    Object.assign(call.trail, { resourceId: asset.id, details: { name: asset.name, template: body.template, missing: missing.length } });
    return answer(201, made, { ...etagOf(asset), location: `/api/v1/assets/${asset.id}` });
  });
  http.bind(routes.listPalette, async ({ query }, call) => await compositions.palette(call.actor, query));
  http.bind(routes.checkCompositionGraph, async ({ body }, call) => {
    call.trail.nothingChanged = true;
    return { problems: await compositions.check(call.actor, body.graph, body.composition) };
  });
  http.bind(routes.getCompositionGraph, async ({ params, query }, call) =>
    withEtag(await compositions.graph(call.actor, params.id, query.version)),
  );
  http.bind(routes.putCompositionGraph, async ({ params, headers, body }, call) => {
    const put = await compositions.put(call.actor, params.id, body.graph, readRevision(headers));
    call.trail.details = { hash: put.hash, revision: put.revision };
    return withEtag(put);
  });
  http.bind(routes.listCompositionProblems, async ({ params, query }, call) => ({
    problems: await compositions.problems(call.actor, params.id, query.version),
  }));
  http.bind(routes.getCompositionCode, async ({ params, query }, call) => await compositions.code(call.actor, params.id, query.version));
  http.bind(routes.diffComposition, async ({ params, query }, call) => await compositions.diff(call.actor, params.id, query));
  http.bind(routes.exportComposition, async ({ params, query }, call) => await compositions.export(call.actor, params.id, query.version));
}
