import { hash } from "node:crypto";
import type { Role } from "@syla/contracts/accounts";
import { newId } from "@syla/server/platform/ids";
import type { TestServer } from "@syla/testkit/server";

/** Somebody who has an account and a key. */
export interface Person {
  readonly id: string;
  readonly email: string;
  readonly headers: { readonly authorization: string };
  readonly keyId: string;
}

/** Makes an account with a confirmed address, and a key to it. */
export async function createAccount(server: TestServer, role: Role = "developer", confirmed = true): Promise<Person> {
  const { database, accounts } = server.context;
  const id = newId("user");
  const email = `${id}@example.org`;
  await database.queries
    .insertInto("users")
    .values({ id, name: `Name of ${id}`, email, email_verified: confirmed, image: null, role })
    .execute();
  const key = await accounts.createApiKey({ userId: id, role, via: "local" }, { name: "test", expiresInDays: undefined });
  return { id, email, headers: { authorization: `Bearer ${key.key}` }, keyId: key.id };
}

/** Suspends an account, or lets it in again. */
export async function setStatus(server: TestServer, person: Person, status: "active" | "suspended"): Promise<void> {
  await server.context.database.queries.updateTable("users").set({ status }).where("id", "=", person.id).execute();
}

/** Inserts a run that has ended, without running anything. */
export async function insertRun(server: TestServer, owner: Person, visibility: "private" | "public" = "private"): Promise<string> {
  const id = newId("run");
  const config = {
    version: null,
    args: [],
    env: {},
    files: [],
    stdin: null,
    limits: {},
    tier: "namespace",
    network: "none",
    cache: null,
    tests: null,
  };
  await server.context.database.queries
    .insertInto("runs")
    .values({
      id,
      kind: "execution",
      status: "succeeded",
      owner_id: owner.id,
      visibility,
      language: "bash",
      entrypoint: "main.sh",
      config: JSON.stringify(config),
      request_hash: hash("sha256", id, "hex"),
      phase: null,
      idempotency_key: null,
      retry_of: null,
      parent_run_id: null,
      worker_id: null,
      exit_code: 0,
      signal: null,
      log_sha256: null,
      finished_at: new Date(),
    })
    .execute();
  return id;
}

/** Shares a thing as its owner. @returns the grant's id */
export async function share(server: TestServer, owner: Person, input: object): Promise<string> {
  const answer = await server.send("POST", "/api/v1/grants", input, owner.headers);
  if (answer.status !== 201) throw new Error(`${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { id: string }).id;
}
