import type { Queries } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { insertDelivery } from "./store.ts";

/** An e-mail as it is written: plain text, and the same as HTML. */
export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/**
 * Queues an e-mail; inside a transaction it is there with the commit. Nothing sends it yet: who invites or shares hands the link on.
 *
 * @returns the delivery's id
 */
export async function queueMail(queries: Queries, mail: Mail, userId: string | null = null): Promise<string> {
  const id = newId("dlv");
  await insertDelivery(queries, { id, channel: "email", userId, notificationId: null, message: mail });
  return id;
}
