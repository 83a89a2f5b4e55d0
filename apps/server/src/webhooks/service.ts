import { AppError } from "@syla/contracts/errors";
import type {
  Webhook,
  WebhookChange,
  WebhookDelivery,
  WebhookDeliveryDetail,
  WebhookDeliveryFilter,
  WebhookEventType,
  WebhookFilter,
  WebhookInput,
  WebhookReplay,
} from "@syla/contracts/webhooks";
import type { Actor } from "../access/actor.ts";
import { can, requirePermission } from "../access/service.ts";
import {
  Attempts,
  DeliveryMessage,
  findDelivery,
  hookHeaders,
  insertDeliveries,
  listHookDeliveries,
  requeueDelivery,
  requeueHookDeliveries,
  type DeliveryRow,
  type HookOutcome,
  type OpenHook,
} from "../deliveries/service.ts";
import type { Database, Work } from "../platform/database.ts";
import { newId } from "../platform/ids.ts";
import { readCursor, toPage } from "../platform/page-cursor.ts";
import type { DeriveSecret } from "../platform/standard-webhooks.ts";
import { changeRevised, type Revision } from "../platform/revision.ts";
import type { Teams } from "../teams/service.ts";
import { deliveryOf } from "./fan-out.ts";
import { switchOff } from "./switch-off.ts";
import * as store from "./store.ts";

export { FanOut } from "./fan-out.ts";

/** So many may one owner have. */
const mostWebhooks = 50;
const previousSecretHours = 24;
/** A webhook that has taken nothing for so long when something is given up is switched off. */
const failingHours = 24;
const mostReplayed = 1000;

/** What webhooks are made of. */
export interface WebhooksContext {
  readonly database: Database;
  readonly secretOf: DeriveSecret;
  /** Why an address may not be used; null when it may. */
  readonly refusal: (url: string) => Promise<string | null>;
  readonly teams: Pick<Teams, "isMember" | "isOwner">;
}

/** Where people and teams want to be told of what happens. */
export class Webhooks {
  readonly #context: WebhooksContext;

  constructor(context: WebhooksContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: WebhookFilter): Promise<{ items: Webhook[]; nextCursor: string | null }> {
    const before = readCursor(filter.cursor, /^whk_[0-9a-z]{26}$/);
    if (filter.ownerId?.includes("\0") === true) return { items: [], nextCursor: null };
    const rows = await store.listWebhooks(this.#context.database.queries, actor.userId, filter, before);
    return toPage(
      rows,
      filter.limit,
      (row) => row.id,
      (row) => toWebhook(actor, row),
    );
  }

  async get(actor: Actor, id: string): Promise<Webhook> {
    return toWebhook(actor, await this.#find(actor, id, "webhook:read"));
  }

  /** @throws AppError `webhook_refused`, `conflict` when there are too many */
  async create(actor: Actor, input: WebhookInput): Promise<Webhook & { secret: string }> {
    refuseImpersonator(actor);
    requirePermission(actor, "webhook:create");
    const ownerId = input.ownerId ?? actor.userId;
    if (ownerId !== actor.userId) await this.#requireTeam(actor, ownerId);
    await this.#checkUrl(input.url);
    const id = newId("whk");
    const { name, url, events } = input;
    const filters = { program_ids: input.programIds, run_statuses: input.runStatuses, asset_types: input.assetTypes };
    const row = { id, owner_id: ownerId, name, url, events, ...filters, created_by: actor.userId };
    if (!(await store.insertWebhook(this.#context.database.queries, row, mostWebhooks)))
      throw new AppError("conflict", { message: `There are ${mostWebhooks} webhooks already.`, hint: "Delete one that is not needed." });
    return await this.#withSecret(actor, id);
  }

  /** @throws AppError `revision_conflict` when it is not that revision any more */
  async update(actor: Actor, id: string, change: WebhookChange, revision: Revision = "*"): Promise<Webhook> {
    await this.#find(actor, id, "webhook:manage");
    const { name, url, events, programIds, runStatuses, assetTypes, enabled } = change;
    if (url !== undefined) await this.#checkUrl(url);
    const changes = {
      ...(name === undefined ? {} : { name }),
      ...(url === undefined ? {} : { url }),
      ...(events === undefined ? {} : { events }),
      ...(programIds === undefined ? {} : { program_ids: programIds }),
      ...(runStatuses === undefined ? {} : { run_statuses: runStatuses }),
      ...(assetTypes === undefined ? {} : { asset_types: assetTypes }),
      ...(enabled === undefined ? {} : { enabled, disabled_reason: null, failing_since: null }),
    };
    const current = () => this.get(actor, id);
    const { queries } = this.#context.database;
    await changeRevised(queries, { table: "webhooks", id, revision }, (work) => store.changeWebhook(work, id, changes), current);
    return await current();
  }

  async delete(actor: Actor, id: string): Promise<void> {
    await this.#find(actor, id, "webhook:manage");
    await store.deleteWebhook(this.#context.database.queries, id);
  }

  async rotate(actor: Actor, id: string): Promise<Webhook & { secret: string }> {
    refuseImpersonator(actor);
    await this.#find(actor, id, "webhook:manage");
    await store.rotateSecret(this.#context.database.queries, id, previousSecretHours);
    return await this.#withSecret(actor, id);
  }

  async test(actor: Actor, id: string): Promise<WebhookDelivery> {
    const { url, owner_id } = await this.#find(actor, id, "webhook:manage");
    const createdAt = new Date().toISOString();
    const payload = { id: newId("evt"), type: "webhook.test", version: 1, createdAt, data: { by: actor.userId } } as const;
    const delivery = deliveryOf({ webhook_id: id, owner_id, url }, payload);
    await insertDeliveries(this.#context.database.queries, [delivery]);
    return toDelivery(await this.#delivery(id, delivery.id));
  }

  async deliveries(
    actor: Actor,
    id: string,
    filter: WebhookDeliveryFilter,
  ): Promise<{ items: WebhookDelivery[]; nextCursor: string | null }> {
    await this.#find(actor, id, "webhook:read");
    const page = { limit: filter.limit, before: readCursor(filter.cursor, /^msg_[0-9a-z]{26}$/) };
    const rows = await listHookDeliveries(this.#context.database.queries, id, filter, page);
    return toPage(rows, filter.limit, (row) => row.id, toDelivery);
  }

  async delivery(actor: Actor, id: string, deliveryId: string): Promise<WebhookDeliveryDetail> {
    await this.#find(actor, id, "webhook:read");
    return toDetail(await this.#delivery(id, deliveryId));
  }

  /** @throws AppError `conflict` while it is switched off, or the delivery is being sent */
  async replay(actor: Actor, id: string, deliveryId: string): Promise<WebhookDelivery> {
    requireOn(await this.#find(actor, id, "webhook:manage"));
    await this.#delivery(id, deliveryId);
    const row = await requeueDelivery(this.#context.database.queries, deliveryId, ["due", "sent", "failed"]);
    if (row === undefined) throw new AppError("conflict", { message: "It is being sent right now." });
    return toDelivery(row);
  }

  /** @returns how many are sent again @throws AppError `conflict` while it is switched off */
  async replayMany(actor: Actor, id: string, { state, since }: WebhookReplay): Promise<number> {
    requireOn(await this.#find(actor, id, "webhook:manage"));
    return await requeueHookDeliveries(this.#context.database.queries, id, { state, since: new Date(since) }, mostReplayed);
  }

  /** What sending needs of one; a string says why nothing is sent. */
  async open(id: string, eventType: string): Promise<OpenHook | string> {
    const row = await store.findTarget(this.#context.database.queries, id);
    if (row === undefined) return "it is gone, or its owner may not sign in";
    if (!row.enabled && eventType !== "webhook.test") return "the webhook is switched off";
    const generations = [row.secret_generation];
    if (row.previous_secret_until !== null && row.previous_secret_until > new Date()) generations.push(row.secret_generation - 1);
    return { url: row.url, secrets: generations.map((generation) => this.#context.secretOf("webhook", id, generation)) };
  }

  /** Learns from a try; part of its record. */
  async tried(work: Work, id: string, { ok, status, gaveUp }: HookOutcome): Promise<void> {
    if (ok) return await store.noteTaken(work, id);
    await store.noteFailed(work, id);
    if (status === 410) await switchOff(work, id, "its address answered that it is gone (410)");
    else if (gaveUp) await switchOff(work, id, `it has taken nothing for ${failingHours} hours`, failingHours);
  }

  async #withSecret(actor: Actor, id: string): Promise<Webhook & { secret: string }> {
    const row = await this.#find(actor, id, "webhook:manage");
    return { ...toWebhook(actor, row), secret: this.#context.secretOf("webhook", id, row.secret_generation) };
  }

  async #requireTeam(actor: Actor, ownerId: string): Promise<void> {
    if (!(await this.#context.teams.isMember(actor, ownerId)))
      throw new AppError("not_found", { fields: [{ path: "ownerId", message: "is no team of yours" }] });
    if (!(await this.#context.teams.isOwner(actor, ownerId)))
      throw new AppError("forbidden", { message: "Only owners of a team make webhooks for it." });
  }

  async #checkUrl(url: string): Promise<void> {
    const refused = await this.#context.refusal(url);
    if (refused === null) return;
    throw new AppError("webhook_refused", {
      message: `The address of the webhook is not allowed: ${refused}.`,
      fields: [{ path: "url", message: "is not allowed" }],
    });
  }

  async #delivery(id: string, deliveryId: string): Promise<DeliveryRow> {
    const row = deliveryId.includes("\0") ? undefined : await findDelivery(this.#context.database.queries, deliveryId);
    if (row?.webhook_id !== id) throw new AppError("not_found");
    return row;
  }

  async #find(actor: Actor, id: string, action: "webhook:read" | "webhook:manage"): Promise<store.WebhookRow> {
    const row = id.includes("\0") ? undefined : await store.findWebhook(this.#context.database.queries, id, actor.userId);
    if (row === undefined) throw new AppError("not_found");
    requirePermission(actor, action, resourceOf(row));
    return row;
  }
}

/** Whoever acts as somebody else is shown none of their secrets. */
function refuseImpersonator(actor: Actor): void {
  if (actor.impersonatorId !== undefined) throw new AppError("impersonating");
}

function requireOn({ enabled }: store.WebhookRow): void {
  if (!enabled) throw new AppError("conflict", { message: "The webhook is switched off.", hint: "Switch it on first." });
}

/** A team's webhooks are seen by its members and managed by its owners. */
function resourceOf(row: store.WebhookRow) {
  return { type: "webhook", id: row.id, ownerId: row.owner_id, teamRole: row.team_role, visibility: "private", level: null } as const;
}

function toWebhook(actor: Actor, row: store.WebhookRow): Webhook {
  return {
    id: row.id,
    name: row.name,
    url: row.url,
    owner: { id: row.owner_id, name: row.owner_name ?? row.owner_id },
    mayManage: can(actor, "webhook:manage", resourceOf(row)),
    events: row.events as Webhook["events"],
    programIds: row.program_ids,
    runStatuses: row.run_statuses as Webhook["runStatuses"],
    assetTypes: row.asset_types as Webhook["assetTypes"],
    enabled: row.enabled,
    disabledReason: row.disabled_reason,
    failingSince: row.failing_since?.toISOString() ?? null,
    lastTakenAt: row.last_taken_at?.toISOString() ?? null,
    previousSecretUntil:
      row.previous_secret_until !== null && row.previous_secret_until > new Date() ? row.previous_secret_until.toISOString() : null,
    revision: row.revision,
    createdAt: row.created_at.toISOString(),
  };
}

function toDelivery(row: DeliveryRow): WebhookDelivery {
  const last = Attempts.parse(row.tries).at(-1);
  return {
    id: row.id,
    eventType: row.event_type as WebhookEventType,
    state: row.state,
    attempts: row.attempts,
    lastStatus: last?.status ?? null,
    lastDurationMs: last?.durationMs ?? null,
    lastError: row.last_error,
    dueAt: row.due_at.toISOString(),
    createdAt: row.created_at.toISOString(),
    sentAt: row.sent_at?.toISOString() ?? null,
  };
}

function toDetail(row: DeliveryRow): WebhookDeliveryDetail {
  const message = DeliveryMessage.parse(row.message);
  return {
    ...toDelivery(row),
    request: {
      headers: { ...hookHeaders, "webhook-id": row.id },
      body: "payload" in message ? JSON.stringify(message.payload) : "",
    },
    tries: Attempts.parse(row.tries).toReversed(),
  };
}
