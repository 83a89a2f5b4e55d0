import { accessRoutes as routes } from "@syla/contracts/access";
import { linkedThingRoutes } from "@syla/contracts/linked-things";
import { answer } from "../platform/http-call.ts";
import type { Http } from "./http.ts";
import type { Sharing } from "./sharing/service.ts";

/** Binds grants, share links, and who has access. */
export function registerAccessRoutes(http: Http, sharing: Sharing): void {
  http.bind(routes.getAccess, async ({ query }, call) => await sharing.getAccess(call.actor, query));
  http.bind(routes.listPeople, async ({ query }, call) => await sharing.listPeople(call.actor, query));
  http.bind(routes.listGrants, async ({ query }, call) => await sharing.listGrants(call.actor, query));
  http.bind(routes.createGrant, async ({ body }, call) => {
    const { resourceType, resourceId, level } = body;
    Object.assign(call.trail, { resourceType, resourceId, details: { level, email: body.email ?? null, teamId: body.teamId ?? null } });
    return await sharing.createGrant(call.actor, body);
  });
  http.bind(routes.updateGrant, async ({ params, body }, call) => {
    const grant = await sharing.updateGrant(call.actor, params.id, body);
    const { resourceType, resourceId, level, expiresAt, subject } = grant;
    Object.assign(call.trail, { resourceType, resourceId, details: { grant: grant.id, subject: subject.name, level, expiresAt } });
    return grant;
  });
  http.bind(routes.deleteGrant, async ({ params }, call) => {
    const { id, resourceType, resourceId, level, subject } = await sharing.deleteGrant(call.actor, params.id);
    Object.assign(call.trail, { resourceType, resourceId, details: { grant: id, subject: subject.name, level } });
    return answer(204);
  });
  http.bind(routes.createShareLink, async ({ body }, call) => {
    const { resourceType, resourceId, level } = body;
    const made = await sharing.createLink(call.actor, body);
    Object.assign(call.trail, { resourceType, resourceId, details: { grant: made.grant.id, level, expiresAt: made.grant.expiresAt } });
    return made;
  });
  http.bind(routes.renewShareLink, async ({ params }, call) => {
    const made = await sharing.renewLink(call.actor, params.id);
    const { id, resourceType, resourceId, level } = made.grant;
    Object.assign(call.trail, { resourceType, resourceId, details: { grant: id, level } });
    return answer(201, made);
  });
  http.bind(linkedThingRoutes.getShareLink, async (_input, call) => await sharing.getLink(call.actor));
  http.bind(routes.redeemShareLink, async ({ body }, call) => {
    const found = await sharing.redeemLink(call.actor, body.token);
    Object.assign(call.trail, { resourceType: found.resourceType, resourceId: found.resourceId, details: { level: found.level } });
    return found;
  });
}
