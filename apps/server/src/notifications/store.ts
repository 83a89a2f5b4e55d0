import type { Queries } from "../platform/database.ts";

/** Something to be sent outside. */
export interface NewDelivery {
  readonly id: string;
  readonly channel: "email" | "webhook";
  readonly userId: string | null;
  readonly notificationId: string | null;
  readonly message: object;
}

/** Puts it into the queue. */
export async function insertDelivery(queries: Queries, delivery: NewDelivery): Promise<void> {
  await queries
    .insertInto("deliveries")
    .values({
      id: delivery.id,
      channel: delivery.channel,
      user_id: delivery.userId,
      notification_id: delivery.notificationId,
      message: JSON.stringify(delivery.message),
    })
    .execute();
}
