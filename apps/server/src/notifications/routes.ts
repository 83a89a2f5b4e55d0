import { notificationRoutes as routes } from "@syla/contracts/notifications";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import type { Inbox } from "./inbox.ts";
import type { LiveNotifications } from "./live.ts";

/** Serves the routes of notifications. */
export function registerNotificationRoutes(http: Http, inbox: Inbox, live: LiveNotifications): void {
  http.bind(routes.listNotifications, ({ query }, { actor }) => inbox.list(actor, query));
  http.bind(routes.countNotifications, (_input, { actor }) => inbox.count(actor));
  http.bindSocket(routes.followNotifications, async ({ query }, { actor }) => {
    return (socket) => live.attach(socket, actor.userId, query.after);
  });
  http.bind(routes.updateNotification, ({ params, body }, { actor }) => inbox.setRead(actor, params.id, body.read));
  http.bind(routes.readAllNotifications, async ({ body }, { actor }) => ({ marked: await inbox.setAllRead(actor, body.upTo) }));
  http.bind(routes.deleteNotification, async ({ params }, { actor }) => {
    await inbox.delete(actor, params.id);
    return answer(204);
  });
  http.bind(routes.getNotificationPreferences, (_input, { actor }) => inbox.preferences(actor));
  http.bind(routes.updateNotificationPreferences, ({ body }, { actor }) => inbox.changePreferences(actor, body));
  http.bind(routes.rotateWebhookSecret, async (_input, { actor }) => answer(201, { secret: await inbox.rotateWebhookSecret(actor) }));
  http.bind(routes.testNotificationChannel, ({ body }, { actor }) => inbox.test(actor, body.channel));
}
