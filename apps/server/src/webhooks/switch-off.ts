import { notifyEach } from "../notifications/service.ts";
import type { Work } from "../platform/database.ts";
import * as store from "./store.ts";

/** Switches a webhook off and tells its owners; with `failingHours` only if it has taken nothing for so long. */
export async function switchOff(work: Work, id: string, reason: string, failingHours = 0): Promise<void> {
  const webhook = await store.disable(work, id, reason, failingHours);
  if (webhook === undefined) return;
  await notifyEach(work, await store.findManagers(work, webhook.owner_id), {
    type: "system",
    title: `The webhook “${webhook.name}” was switched off`,
    body: `Why: ${reason}. Switch it on again when its address takes events; what was not taken can be sent again.`,
    link: `/webhooks/${id}`,
    details: { webhookId: id },
  });
}
