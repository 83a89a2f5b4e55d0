import type { Work } from "../platform/database.ts";
import { lockPeople, lockSettling, settleStoredOf } from "./store.ts";

/**
 * Makes a change by which people get or lose content otherwise than by storing it, and counts anew what they have then. Before anything else of the
 * transaction, which holds these people until its end: people are locked before runs and assets. Teams among `ownerIds` have no count. `besides`: people
 * whom the change locks later, and who are not counted; all are locked in one order.
 */
export async function settling<T>(
  work: Work,
  ownerIds: readonly string[],
  change: () => Promise<T>,
  besides: readonly string[] = [],
): Promise<T> {
  const people = [...new Set(ownerIds.filter((id) => id.startsWith("user_")))];
  await lockSettling(work, people);
  await lockPeople(work, [...new Set([...people, ...besides])]);
  const made = await change();
  await settleStoredOf(work, people);
  return made;
}
