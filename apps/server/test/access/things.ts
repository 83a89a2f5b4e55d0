import { newId } from "@syla/server/platform/ids";
import type { TestServer } from "@syla/testkit/server";
import { sql } from "kysely";
import type { Person } from "./people.ts";

/** What is nobody's but its owner's, or is seen by administrators besides. */
export const ownedKinds = [
  "schedule",
  "trigger",
  "budget",
  "webhook",
  "credential",
  "package_index",
  "import",
  "environment",
  "api_key",
  "session",
  "notification",
  "identity",
  "quotas",
] as const;
export type OwnedKind = (typeof ownedKinds)[number];

/** Where what is known of a thing is kept, by the beginning of its id. */
const tables: Readonly<Record<string, string>> = {
  run: "runs",
  sbx: "sandboxes",
  prog: "assets",
  wsp: "workspaces",
  model: "assets",
  data: "assets",
  comp: "assets",
  team: "teams",
  sched: "schedules",
  trg: "triggers",
  bud: "budgets",
  whk: "webhooks",
  cred: "credentials",
  idx: "package_indexes",
  imp: "imports",
  env: "environments",
  key: "api_keys",
  sess: "sessions",
  ntf: "notifications",
  acct: "accounts",
  user: "users",
};

/** Whatever the database says of a thing. */
export async function rowOf(server: TestServer, id: string): Promise<string> {
  const table = tables[id.split("_", 1)[0] ?? ""];
  if (table === undefined) throw new Error(`nobody knows what ${id} is`);
  const { rows } = await sql<{ row: string }>`select to_jsonb(t)::text as row from ${sql.table(table)} t where id = ${id}`.execute(
    server.context.database.queries,
  );
  return rows[0]?.row ?? "gone";
}

/** Real things of a person, made when one is asked for, and again once a call may have used it up. */
export class Things {
  readonly #server: TestServer;
  readonly #owner: Person;
  readonly #programId: string;
  readonly #made = new Map<OwnedKind, string>();

  constructor(server: TestServer, owner: Person, programId: string) {
    this.#server = server;
    this.#owner = owner;
    this.#programId = programId;
  }

  async id(kind: OwnedKind): Promise<string> {
    const known = this.#made.get(kind);
    if (known !== undefined) return known;
    const id = await this.#make(kind);
    this.#made.set(kind, id);
    return id;
  }

  /** The next call gets another one. */
  forget(kind: OwnedKind): void {
    this.#made.delete(kind);
  }

  async #make(kind: OwnedKind): Promise<string> {
    const { queries } = this.#server.context.database;
    const owner_id = this.#owner.id;
    const inAnHour = new Date(Date.now() + 3_600_000);
    switch (kind) {
      case "schedule":
        return await this.#post("/api/v1/schedules", { name: newId("test"), programId: this.#programId, cron: "@yearly" });
      case "trigger":
        return await this.#post("/api/v1/triggers", { name: newId("test"), programId: this.#programId });
      case "budget": {
        const id = newId("bud");
        const row = { id, owner_id, program_id: id, amount: 1, stops: false, is_imposed: false, created_by: owner_id };
        await queries.insertInto("budgets").values(row).execute();
        return id;
      }
      case "credential":
        return await this.#post("/api/v1/credentials", { kind: "program", name: newId("test"), value: "hidden" });
      case "package_index": {
        const name = newId("test").replaceAll("_", "-");
        return await this.#post("/api/v1/package-indexes", {
          language: "python",
          name,
          url: "https://packages.example.org/simple",
          packages: [name],
        });
      }
      case "api_key":
        return await this.#post("/api/v1/api-keys", { name: "another" });
      case "webhook": {
        const id = newId("whk");
        const lists = { program_ids: null, run_statuses: null, asset_types: null };
        const row = { id, owner_id, name: id, url: "http://127.0.0.1:1/", events: ["run.finished"], created_by: owner_id, ...lists };
        await queries.insertInto("webhooks").values(row).execute();
        return id;
      }
      case "session": {
        const id = newId("sess");
        const row = { id, user_id: owner_id, token: id, expires_at: inAnHour, ip_address: null, user_agent: null };
        await queries
          .insertInto("sessions")
          .values({ ...row, impersonated_by: null, impersonation_reason: null })
          .execute();
        return id;
      }
      case "notification": {
        const id = newId("ntf");
        const row = {
          id,
          user_id: owner_id,
          type: "system",
          title: "News",
          link: null,
          details: "{}",
          seq: Math.trunc(Math.random() * 2 ** 30),
        };
        await queries.insertInto("notifications").values(row).execute();
        return id;
      }
      case "identity": {
        const id = newId("acct");
        await queries
          .insertInto("accounts")
          .values({ id, user_id: owner_id, account_id: id, provider_id: "example", password: null })
          .execute();
        return id;
      }
      case "import": {
        const id = newId("imp");
        const none = {
          archive_sha256: null,
          asset_id: null,
          tree_sha256: null,
          whole_tree_sha256: null,
          folder: null,
          analysis_sha256: null,
        };
        const source = JSON.stringify({ kind: "template", template: "none" });
        const row = { id, owner_id, state: "cancelled", source, phase: null, worker_id: null, expires_at: inAnHour, ...none } as const;
        await queries.insertInto("imports").values(row).execute();
        return id;
      }
      case "environment":
        return await this.#insertEnvironment();
      case "quotas":
        return owner_id;
    }
  }

  async #insertEnvironment(): Promise<string> {
    const { queries } = this.#server.context.database;
    const id = newId("env");
    const lock = await this.#server.context.blobs.put(Buffer.from("numpy==2.0.0\n"));
    const asked = {
      manager: "uv",
      language: "python",
      runtime_version: "0",
      platform: "linux",
      source: "requirements",
      dependencies: "[]",
    } as const;
    const none = { base_key: null, scope: null, phase: null, worker_id: null, log_sha256: null, size: null, build_ms: null };
    await queries
      .insertInto("environments")
      .values({ id, key: id, request_key: id, request_sha256: "", lock_sha256: lock.sha256, ...asked, ...none })
      .execute();
    await queries.insertInto("environment_users").values({ environment_id: id, user_id: this.#owner.id }).execute();
    return id;
  }

  async #post(path: string, body: object): Promise<string> {
    const answer = await this.#server.send("POST", path, body, this.#owner.headers);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return ((await answer.json()) as { id: string }).id;
  }
}

/** A delivery of a webhook that has been sent. */
export async function insertDelivery(server: TestServer, webhookId: string, owner: Person): Promise<string> {
  const id = newId("msg");
  const payload = { id: newId("evt"), type: "webhook.test", version: 1, createdAt: new Date().toISOString(), data: {} };
  const message = JSON.stringify({ url: "http://127.0.0.1:1/", generation: 0, subject: "webhook.test", payload });
  await server.context.database.queries
    .insertInto("deliveries")
    .values({
      id,
      channel: "webhook",
      user_id: null,
      notification_id: null,
      webhook_id: webhookId,
      owner_id: owner.id,
      event_type: "webhook.test",
      message,
      state: "sent",
      last_error: null,
    })
    .execute();
  return id;
}

/** A call of a model that has ended. */
export async function insertModelCall(server: TestServer, modelId: string, owner: Person): Promise<string> {
  const id = newId("llm");
  const model = { model_id: modelId, model_name: "m", model_owner_id: owner.id, provider: "ollama", upstream_model: "m" };
  const call = { protocol: "openai", operation: "chat", streamed: false, status: "succeeded", scopes: "[]" } as const;
  await server.context.database.queries
    .insertInto("llm_calls")
    .values({ id, run_id: null, user_id: owner.id, credential_id: null, credential_owner_id: null, program_id: null, ...model, ...call })
    .execute();
  return id;
}
