import { sql } from "kysely";
import { notify, type Queries, type Work } from "../platform/database.ts";

/** Channel: what administrators have chosen has changed. */
export const settingsChannel = "settings_changed";

const key = "chosen";

/** What administrators have chosen, by name, as it is written in the environment. */
export async function readChosen(queries: Queries): Promise<unknown> {
  return (await queries.selectFrom("settings").select("value").where("key", "=", key).executeTakeFirst())?.value ?? {};
}

/** The same, for a change: of two at once one waits for the other. */
export async function lockChosen(work: Work): Promise<unknown> {
  await work
    .insertInto("settings")
    .values({ key, value: sql`'{}'::jsonb` })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return (await work.selectFrom("settings").select("value").where("key", "=", key).forUpdate().executeTakeFirst())?.value ?? {};
}

/** Keeps what was chosen, and lets every server know. */
export async function saveChosen(work: Work, chosen: Readonly<Record<string, string>>): Promise<void> {
  await work
    .updateTable("settings")
    .set({ value: JSON.stringify(chosen) })
    .where("key", "=", key)
    .execute();
  await notify(work, settingsChannel, "");
}
