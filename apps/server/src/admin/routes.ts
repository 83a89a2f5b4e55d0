import { Readable } from "node:stream";
import { adminRoutes as routes } from "@syla/contracts/admin";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { decodeCursor, type Admin } from "./service.ts";

/** Serves the routes of administrators, and those by which people take out or delete what is theirs. */
export function registerAdminRoutes(http: Http, admin: Admin): void {
  http.bind(routes.listUsers, ({ query }) => admin.list(query));
  http.bind(routes.getUser, ({ params }) => admin.get(params.id));
  http.bind(routes.updateUser, ({ params, body }, { trail }) => {
    trail.details = { role: body.role };
    return admin.setRole(params.id, body.role);
  });
  http.bind(routes.suspendUser, ({ params, body }, { trail }) => {
    trail.details = { reason: body.reason };
    return admin.suspend(params.id, body.reason);
  });
  http.bind(routes.reactivateUser, ({ params }) => admin.reactivate(params.id));
  http.bind(routes.signOutUser, async ({ params }) => ({ ended: await admin.signOut(params.id) }));
  http.bind(routes.resetTwoFactor, ({ params, body }, { trail }) => {
    trail.details = { reason: body.reason };
    return admin.resetTwoFactor(params.id);
  });
  http.bind(routes.deleteUser, async ({ params, query }, { trail }) => {
    trail.details = { transferTo: query.transferTo ?? null };
    await admin.delete(params.id, query.transferTo);
    return answer(204);
  });
  http.bind(routes.impersonateUser, async ({ params, body }, call) => {
    call.trail.details = { reason: body.reason };
    return answer(201, await admin.impersonate(call.actor, params.id, body.reason, call));
  });
  http.bind(routes.getImpersonation, (_input, { actor }) => admin.impersonation(actor));
  http.bind(routes.stopImpersonation, async (_input, call) => {
    await admin.stopImpersonating(call.actor, call);
    return answer(204);
  });
  http.bind(routes.exportUser, async ({ params, body }, { trail }) => {
    trail.details = { reason: body.reason };
    return toDocument(await admin.export(params.id));
  });
  http.bind(routes.exportMyData, (_input, { actor }) => toDocument(admin.exportOwn(actor)));
  http.bind(routes.deleteMe, async ({ body }, { actor }) => {
    await admin.deleteOwn(actor, body.confirm, body.password);
    return answer(204);
  });
  registerOperationRoutes(http, admin);
}

function toDocument(pieces: AsyncIterable<string>) {
  return answer(200, Readable.from(pieces), {
    "content-type": "application/json",
    "content-disposition": 'attachment; filename="syla-export.json"',
  });
}

function registerOperationRoutes(http: Http, admin: Admin): void {
  const { announcements, deliveries } = admin;
  http.bind(routes.getAdminOverview, () => admin.overview());
  http.bind(routes.listAnnouncements, async () => ({ items: await announcements.list() }));
  http.bind(routes.createAnnouncement, async ({ body }, { actor }) => answer(201, await announcements.create(actor, body)));
  http.bind(routes.deleteAnnouncement, async ({ params }) => {
    await announcements.delete(params.id);
    return answer(204);
  });
  http.bind(routes.listDeliveries, ({ query }) => deliveries.list(query, decodeCursor(query.cursor, "dlv")));
  http.bind(routes.getDelivery, ({ params }) => deliveries.read(params.id));
  http.bind(routes.retryDelivery, ({ params }) => deliveries.retry(params.id));
}
