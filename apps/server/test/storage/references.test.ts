import { createTestDatabase } from "@syla/testkit/database";
import pg from "pg";
import { expect, it } from "vitest";
import { owned, ownedQuery } from "../../src/storage/owners/store.ts";
import { noReferences, referenceQuery, references } from "../../src/storage/references/store.ts";

/** Of JSON that our own code writes and that holds no content: whoever adds one says so here or in the list of references. */
const jsonWithoutContent = new Set([
  "assets.cloned_from",
  "assets.import_source",
  "audit_events.details",
  "deliveries.message",
  "environments.dependencies",
  "environments.error",
  "environments.packages",
  "imports.confirmation",
  "imports.error",
  "imports.gather_problems",
  "imports.problems",
  "imports.source",
  "imports.suggestion",
  "idempotent_requests.headers",
  "llm_calls.scopes",
  "model_prices.prices",
  "notification_preferences.value",
  "notifications.details",
  "sandboxes.limits",
  "sandboxes.requested_limits",
]);

it("names every column that may refer to content, and none that is not there", async () => {
  await using database = await createTestDatabase();
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(`
      select table_name || '.' || column_name as name from information_schema.columns
      where table_schema = 'public' and (column_name ~ '(^|_)sha256$' or data_type in ('json', 'jsonb'))`);
    const listed = new Set([...references.flatMap((reference) => reference.columns), ...Object.keys(noReferences)]);
    const found = rows.map((row) => row.name);
    // What is missing would be deleted while something refers to it: add it to storage/references/store.ts.
    expect(found.filter((name) => !listed.has(name) && !jsonWithoutContent.has(name))).toEqual([]);
    expect([...listed, ...jsonWithoutContent].filter((name) => !found.includes(name))).toEqual([]);
    expect((await client.query(referenceQuery)).fields.map((field) => field.name)).toEqual(["sha256", "referrer"]);
  } finally {
    await client.end();
  }
});

it("knows of what kind everything is that is referred to: nothing counts as other", async () => {
  const columns = (lists: readonly { readonly columns: readonly string[] }[]) => new Set(lists.flatMap((list) => list.columns));
  expect(columns(owned)).toEqual(columns(references));
  await using database = await createTestDatabase();
  const client = new pg.Client(database.url);
  await client.connect();
  try {
    expect((await client.query(ownedQuery)).fields.map((field) => field.name)).toEqual(["kind", "sha256", "owner_id"]);
  } finally {
    await client.end();
  }
});
