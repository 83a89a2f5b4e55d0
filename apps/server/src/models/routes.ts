import { credentialsOf } from "@syla/contracts/model-config";
import { modelRoutes as routes } from "@syla/contracts/models";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { readRevision, withEtag } from "../platform/revision.ts";
import type { CallBook, Models } from "./service.ts";
import type { Runs } from "../runs/service.ts";

/** Binds models, their caps and their usage. */
export function registerModelRoutes(http: Http, models: Models, runs: Pick<Runs, "get">, calls: CallBook): void {
  http.bind(routes.listModels, async ({ query }, call) => await models.list(call.actor, query));
  http.bind(routes.createModel, async ({ body }, call) => {
    call.trail.details = { provider: body.config.provider, modelId: body.config.modelId, credentials: credentialsOf(body.config) };
    return await models.create(call.actor, body);
  });
  http.bind(routes.testModelConfig, async ({ body }, call) => {
    call.trail.details = { provider: body.config.provider, credentials: credentialsOf(body.config) };
    return await models.testConfig(call.actor, body.config, body.ownerId);
  });
  http.bind(routes.getModel, async ({ params }, call) => withEtag(await models.get(call.actor, params.id)));
  http.bind(routes.updateModel, async ({ params, headers, body }, call) => {
    call.trail.details = {
      changed: Object.keys(body),
      ...(body.visibility === undefined ? {} : { visibility: body.visibility }),
      ...(body.config === undefined ? {} : { credentials: credentialsOf(body.config) }),
    };
    return withEtag(await models.update(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(routes.deleteModel, async ({ params }, call) => {
    await models.delete(call.actor, params.id);
    return answer(204);
  });
  http.bind(routes.testModel, async ({ params }, call) => await models.test(call.actor, params.id));
  http.bind(routes.getModelUsage, async ({ params, query }, call) => await models.usage(call.actor, params.id, query.days));
  http.bind(routes.listModelCalls, async ({ params, query }, call) => await models.callsOf(call.actor, params.id, query));
  http.bind(routes.getModelCall, async ({ params }, call) => await models.callOf(call.actor, params.id, params.callId));
  http.bind(routes.setSpendCap, async ({ params, headers, body }, call) => {
    call.trail.details = { subject: params.subject, ...body };
    return withEtag(await models.setCap(call.actor, params.id, params.subject, body, readRevision(headers)));
  });
  http.bind(routes.deleteSpendCap, async ({ params }, call) => {
    call.trail.details = { subject: params.subject };
    await models.removeCap(call.actor, params.id, params.subject);
    return answer(204);
  });
  http.bind(routes.listRunCalls, async ({ params, query }, call) => {
    await runs.get(call.actor, params.id);
    return await calls.ofRun(params.id, query);
  });
}
