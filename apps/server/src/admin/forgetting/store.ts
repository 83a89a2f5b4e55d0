import { sql } from "kysely";
import type { Work } from "../../platform/database.ts";
import { forgetCounts } from "../../usage/service.ts";

/** Who is forgotten: their id, and the address that they had. */
export interface Forgotten {
  readonly id: string;
  readonly email: string | null;
}

/** What is used in place of somebody where something has to be somebody's: it is no account's id. */
const nobody = "deleted";

/** Who made or changed things of others. Where the database itself sees to it (`on delete set null`), nothing is said here. */
const makers: readonly (readonly [table: string, column: string])[] = [
  ["assets", "created_by"],
  ["assets", "updated_by"],
  ["assets", "deleted_by"],
  ["asset_versions", "created_by"],
  ["workspaces", "created_by"],
  ["workspaces", "updated_by"],
  ["workspaces", "deleted_by"],
  ["workspace_versions", "created_by"],
  ["credentials", "created_by"],
  ["package_indexes", "created_by"],
  ["webhooks", "created_by"],
  ["spend_caps", "updated_by"],
  ["storage_jobs", "started_by"],
  ["backup_jobs", "started_by"],
  ["node_runs", "decided_by"],
];

/** Where something may name somebody who is gone: each with the reason. A test looks for others. */
export const leftBehind: Readonly<Record<string, string>> = {
  "audit_events.actor_id": "what was done stays told",
  "audit_events.actor_name": "what was done stays told",
  "audit_events.impersonator_id": "what was done stays told",
  "audit_events.resource_id": "what was done stays told",
  "audit_events.details": "what was done stays told",
  "notifications.title": "what others were told; it is theirs",
  "notifications.body": "what others were told; it is theirs",
  "notifications.details": "what others were told; it is theirs",
  "deliveries.message": "what others were sent, kept for two weeks",
  "storage_jobs.report": "a report of the day on which it was made, of which the newest are kept",
  "backup_jobs.report": "a report of the day on which it was made, of which the newest are kept",
  "workspace_versions.author": "whom a commit that somebody else has pushed names, as the commit itself does in every clone",
  "webhook_events.data": "on its way to webhooks of others",
  "webhook_events.owner_ids": "on its way to webhooks of others",
  "workers.warm": "whose sandboxes are ready, from second to second",
};

/**
 * Takes somebody's name off everything that is not deleted with the account: whoever made it is not known any more, what they used was used by nobody.
 * Before the account itself goes.
 */
export async function forgetPerson(work: Work, { id, email }: Forgotten): Promise<void> {
  // Who wrote what they have pushed is themselves, as a rule.
  await sql`update workspace_versions set author = null where created_by = ${id}`.execute(work);
  for (const [table, column] of makers)
    await sql`update ${sql.table(table)} set ${sql.ref(column)} = null where ${sql.ref(column)} = ${id}`.execute(work);
  await forgetUse(work, id);
  await forgetAddress(work, email);
  await sql`delete from deliveries where owner_id = ${id} and webhook_id is null`.execute(work);
  await forgetTries(work, id);
  // Layers that were built from their package indexes are nobody's to share.
  await sql`update environments set scope = ${nobody} where scope = ${id}`.execute(work);
}

/** What they used and paid for others stays counted, and what they said to models goes. */
async function forgetUse(work: Work, id: string): Promise<void> {
  await sql`update llm_calls set user_id = ${nobody}, request_text = null, response_text = null where user_id = ${id}`.execute(work);
  await sql`update llm_calls set model_owner_id = ${nobody} where model_owner_id = ${id}`.execute(work);
  await sql`update llm_calls set credential_owner_id = ${nobody} where credential_owner_id = ${id}`.execute(work);
  await forgetCounts(work, id, nobody);
  await sql`
    delete from spend_counters where scope = 'user:' || ${id}::text
      or scope in (select 'key:' || k.id from api_keys k where k.reference_id = ${id})`.execute(work);
  await sql`update runs set api_key_id = null from api_keys k where k.id = runs.api_key_id and k.reference_id = ${id}`.execute(work);
}

/** What somebody else has sent to the address, or meant for it. */
async function forgetAddress(work: Work, email: string | null): Promise<void> {
  if (email === null) return;
  await work.deleteFrom("invitations").where("email", "=", email).execute();
  await work.deleteFrom("account_links").where("email", "=", email).execute();
  await work.deleteFrom("grants").where("subject_type", "=", "email").where("subject_id", "=", email).execute();
  await sql`delete from deliveries where channel = 'email' and message ->> 'to' = ${email}`.execute(work);
  await forgetTries(work, email);
}

/** What was counted of somebody: keys end with whom they are about, in small letters. Whose name only contains theirs goes on being counted. */
async function forgetTries(work: Work, name: string): Promise<void> {
  await sql`delete from tries where substring(key from '[^ ]*$') = lower(${name})`.execute(work);
}
