import { credentialRoutes as routes } from "@syla/contracts/credentials";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { readRevision, withEtag } from "../platform/revision.ts";
import type { Credentials } from "./service.ts";

/** Binds credentials. What goes into the audit trail never holds a value. */
export function registerCredentialRoutes(http: Http, credentials: Credentials): void {
  http.bind(routes.listCredentials, async ({ query }, call) => await credentials.list(call.actor, query));
  http.bind(routes.createCredential, async ({ body }, call) => {
    call.trail.details = { kind: body.kind, name: body.name, ownerId: body.ownerId ?? call.actor.userId };
    return await credentials.create(call.actor, body);
  });
  http.bind(routes.getCredential, async ({ params }, call) => withEtag(await credentials.get(call.actor, params.id)));
  http.bind(routes.updateCredential, async ({ params, headers, body }, call) => {
    call.trail.details = { changed: Object.keys(body) };
    return withEtag(await credentials.update(call.actor, params.id, body, readRevision(headers)));
  });
  http.bind(routes.deleteCredential, async ({ params, query }, call) => {
    call.trail.details = { force: query.force };
    await credentials.delete(call.actor, params.id, query.force);
    return answer(204);
  });
  http.bind(routes.rotateKeys, async (_input, call) => {
    const rotation = await credentials.rotateKeys();
    call.trail.details = { ...rotation };
    return rotation;
  });
}
