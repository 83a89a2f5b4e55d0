import { levelCovers } from "@syla/contracts/access";
import type { AssetType } from "@syla/contracts/asset-fields";
import { AppError } from "@syla/contracts/errors";
import { credentialsOf, looksSecret, ModelConfig } from "@syla/contracts/model-config";
import type {
  LlmCall,
  LlmCallText,
  LlmTotals,
  Model,
  ModelChange,
  ModelFilter,
  ModelInput,
  ModelTest,
  ModelUsage,
  SpendCap,
  SpendCapInput,
} from "@syla/contracts/models";
import type { NetworkPolicy } from "@syla/contracts/network";
import { ProgramConfig } from "@syla/contracts/program-config";
import type { Actor } from "../access/actor.ts";
import { requirePermission } from "../access/service.ts";
import { lockGrants, type GrantedThing } from "../access/sharing/service.ts";
import type { Catalog } from "../catalog/service.ts";
import type { Credentials } from "../credentials/service.ts";
import type { Database, Work } from "../platform/database.ts";
import { readCursor } from "../platform/page-cursor.ts";
import type { Revision } from "../platform/revision.ts";
import { capScope, deleteCap, dollar, listCaps, lockCap, saveCap, spentIn, type CapRow, type KeptCap } from "../spend/service.ts";
import { toModel } from "./presenter.ts";
import { revealSecrets, type ModelSecrets } from "./secrets.ts";
import { listUsable, selectModel } from "./selection.ts";
import * as store from "./store.ts";

export { listUsable, selectModel, type ModelCaller, type SelectedModel } from "./selection.ts";
export { listSecrets, noSecrets, revealSecrets, type ModelSecrets } from "./secrets.ts";
export { priceVersionOf } from "./store.ts";

/** What is known of calls, which the gateway writes down. */
export interface CallBook {
  usage(modelId: string, since: Date): Promise<Omit<ModelUsage, "caps">>;
  ofModel(
    modelId: string,
    userId: string | null,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: LlmCall[]; nextCursor: string | null }>;
  one(modelId: string, id: string): Promise<LlmCallText | undefined>;
  ofRun(
    runId: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: LlmCall[]; nextCursor: string | null; total: LlmTotals }>;
  /** What the nodes of a run called, those of these paths or all; the path is null for calls that say no node. */
  ofNodes(runId: string, paths?: readonly string[]): Promise<{ readonly path: string | null; readonly total: LlmTotals }[]>;
  /** What a node of a run called, with all that lies within it. */
  within(runId: string, path: string): Promise<LlmTotals>;
  /** The first calls of a run, with what was sent for each. */
  traced(runId: string, limit: number): Promise<TracedCalls>;
}

/** The calls of a run as its trace shows them. `total` is of all. */
export interface TracedCalls {
  readonly calls: readonly (LlmCall & {
    readonly sent: readonly { readonly at: number; readonly ms: number; readonly status: number | null; readonly code: string | null }[];
  })[];
  readonly total: LlmTotals;
}

/** What models are made of. */
export interface ModelsContext {
  readonly database: Database;
  readonly catalog: Catalog;
  readonly credentials: Credentials;
  readonly calls: CallBook;
  /** US dollars a month that a grant may spend, when nothing is said of it; negative: it has to be. Asked each time. */
  readonly usualCap: () => number;
  readonly probe: (config: ModelConfig, reveal: () => Promise<ModelSecrets>) => Promise<ModelTest>;
}

/** An asset as it was before a change. */
interface OwnedModel {
  readonly id: string;
  readonly type: AssetType;
  readonly owner_id: string;
  readonly config: unknown;
}

/** Models: assets that say how to reach a language model, and what may be spent on it. */
export class Models {
  readonly #context: ModelsContext;

  constructor(context: ModelsContext) {
    this.#context = context;
  }

  async list(actor: Actor, filter: ModelFilter): Promise<{ items: Model[]; nextCursor: string | null }> {
    const { catalog } = this.#context;
    const page = {
      view: "all",
      type: "model",
      sort: "created",
      limit: filter.limit,
      ...(filter.owner !== undefined && { owner: filter.owner }),
      ...(filter.cursor !== undefined && { cursor: filter.cursor }),
    } as const;
    const { items, nextCursor } = await catalog.list(actor, page);
    const usable = await this.#usable(actor);
    const models = await Promise.all(items.map(async ({ id }) => toModel(await catalog.get(actor, id), usable.has(id))));
    return { items: models, nextCursor };
  }

  async create(actor: Actor, { name, description, ownerId, visibility, config }: ModelInput): Promise<Model> {
    const made = await this.#context.catalog.create(actor, {
      type: "model",
      name,
      description,
      config,
      ...(ownerId !== undefined && { ownerId }),
      ...(visibility !== undefined && { visibility }),
    });
    return await this.get(actor, made.id);
  }

  async get(actor: Actor, id: string): Promise<Model> {
    requireModelId(id);
    return toModel(await this.#context.catalog.get(actor, id), (await this.#usable(actor)).has(id));
  }

  /** @throws AppError `conflict` for a public model without a cap, `price_unknown`, `revision_conflict` */
  async update(actor: Actor, id: string, { publicCap, revision: named, ...change }: ModelChange, revision?: Revision): Promise<Model> {
    requireModelId(id);
    const { catalog } = this.#context;
    const now = await catalog.get(actor, id);
    const config = change.config ?? ModelConfig.parse(now.config);
    if (publicCap !== undefined) {
      await catalog.resolve(actor, "asset:share", id);
      if (publicCap === null && (change.visibility ?? now.visibility) === "public" && now.owner.id !== "system") throw needsCap();
      if (publicCap !== null) requirePrices(config);
    }
    const setCap = async (work: Work) => {
      if (publicCap === null) await deleteCap(work, id, "public");
      else if (publicCap !== undefined) await saveCap(work, id, toCapRow("public", publicCap), actor.userId);
    };
    const beside = { becomesCapped: publicCap != null, write: setCap };
    if (publicCap !== undefined || Object.keys(change).length > 0)
      await catalog.update(actor, id, change, revision ?? named ?? "*", beside);
    return await this.get(actor, id);
  }

  async delete(actor: Actor, id: string): Promise<void> {
    requireModelId(id);
    await this.#context.catalog.delete(actor, id);
  }

  /** Tries a stored model, and notes what it was seen to do. */
  async test(actor: Actor, id: string): Promise<ModelTest> {
    requireModelId(id);
    const { catalog } = this.#context;
    const { asset, config: stored } = await catalog.resolve(actor, "asset:edit", id, undefined, "model");
    const config = ModelConfig.parse(stored);
    const test = await this.#probe(config, asset.ownerId);
    const capabilities = seenCapabilities(config.capabilities, test);
    // What somebody else has changed meanwhile is not what was tried.
    if (JSON.stringify(capabilities) !== JSON.stringify(config.capabilities))
      await catalog.update(actor, id, { config: { ...config, capabilities } }, asset.revision).catch((error: unknown) => {
        if (!(error instanceof AppError) || error.status >= 500) throw error;
      });
    return test;
  }

  /** Tries a configuration that is not stored. */
  async testConfig(actor: Actor, config: ModelConfig, ownerId = actor.userId): Promise<ModelTest> {
    requirePermission(actor, "model:try");
    await this.checkConfig(actor, { type: "model", ownerId, config });
    return await this.#probe(config, ownerId);
  }

  /** What has to hold before the catalog stores a model. @throws AppError `credential_unusable`, `conflict` */
  async checkConfig(
    actor: Actor,
    {
      id,
      type,
      ownerId,
      config,
      before: copied,
      visibility,
      becomesCapped = false,
    }: {
      id?: string;
      type: AssetType;
      ownerId: string;
      config: unknown;
      before?: unknown;
      visibility?: string | undefined;
      becomesCapped?: boolean | undefined;
    },
  ): Promise<void> {
    if (type !== "model") return;
    const parsed = ModelConfig.parse(config);
    const { baseUrl, provider, prices } = parsed;
    const before = id === undefined ? undefined : await this.#configOf(id);
    refuseOpenSecrets(parsed, before ?? ModelConfig.safeParse(copied).data);
    const known = new Set(before === undefined ? [] : credentialsOf(before).map((one) => one.id));
    for (const { id: credentialId, path } of credentialsOf(parsed)) {
      const isWhereItWas = known.has(credentialId) && before?.baseUrl === baseUrl && before.provider === provider;
      // Whoever says where a key is sent could have it sent to themselves.
      const action = baseUrl === null || isWhereItWas ? "credential:use" : "credential:manage";
      await this.#context.credentials.requireUsable(actor, credentialId, { kind: "model", ownerId, path: `config.${path}`, action });
    }
    const caps = id === undefined ? [] : await listCaps(this.#context.database.queries, id);
    if (visibility === "public" && ownerId !== "system" && !becomesCapped && !caps.some(({ subject }) => subject === "public"))
      throw needsCap();
    if (caps.length > 0) requirePrices({ prices });
  }

  /** A program is bound to a model by somebody who may call it; whoever changes something else leaves it as it is. @throws AppError `model_unusable` */
  async checkBinding(actor: Actor, asset: { type: AssetType; config: unknown; before?: unknown }): Promise<void> {
    if (asset.type !== "program") return;
    const { modelId } = ProgramConfig.parse(asset.config);
    if (modelId === null || modelId === ProgramConfig.safeParse(asset.before).data?.modelId) return;
    if (!(await this.mayUse(actor, modelId)))
      throw new AppError("model_unusable", { fields: [{ path: "config.modelId", message: "is the id of no model that you may use" }] });
  }

  /** Whether it is the id of a model that somebody may call now. */
  async mayUse(actor: Actor, id: string): Promise<boolean> {
    const [found] = await this.resolveNames(actor, [id]).catch((error: unknown) => {
      if (error instanceof AppError && error.status < 500) return [];
      throw error;
    });
    return found === id;
  }

  /** The models of a run, before it is accepted: the actor may call each, and its credential can be opened. @throws AppError */
  async checkForRun(actor: Actor, modelIds: readonly string[]): Promise<void> {
    for (const [index, id] of modelIds.entries()) {
      const caller = { userId: actor.userId, role: actor.role, modelIds: [id] };
      const model = await selectModel(this.#context.database.queries, caller, id).catch((error: unknown) => {
        if (error instanceof AppError && error.code === "unknown_model")
          throw new AppError("unknown_model", { fields: [{ path: `models.${index}`, message: "is no model that you may use" }] });
        throw error;
      });
      await revealSecrets(this.#context.credentials, model.config, model.ownerId);
    }
  }

  /**
   * The models of a run by what it calls them, as ids, once it is sure that they can be called; and the network that it has with them.
   *
   * @throws AppError `unknown_model`, `forbidden`, `credential_missing`, `credential_expired`
   */
  async forRun(actor: Actor, names: readonly string[], network: NetworkPolicy): Promise<{ models: string[]; network: NetworkPolicy }> {
    if (names.length === 0) return { models: [], network };
    const models = await this.resolveNames(actor, names);
    await this.checkForRun(actor, models);
    return { models, network: network === "none" ? "gateway" : network };
  }

  /** The ids of models that are named by id, slug or name. @throws AppError `unknown_model` */
  async resolveNames(actor: Actor, names: readonly string[]): Promise<string[]> {
    const caller = { userId: actor.userId, role: actor.role, modelIds: null };
    const ids: string[] = [];
    for (const name of names) ids.push((await selectModel(this.#context.database.queries, caller, name)).id);
    return [...new Set(ids)];
  }

  async usage(actor: Actor, id: string, days: number): Promise<ModelUsage> {
    await this.#requireEditor(actor, id);
    const today = new Date();
    const since = new Date(Date.UTC(today.getUTCFullYear(), today.getUTCMonth(), today.getUTCDate() - days + 1));
    const caps = await listCaps(this.#context.database.queries, id);
    return { ...(await this.#context.calls.usage(id, since)), caps: await Promise.all(caps.map((cap) => this.#present(id, cap))) };
  }

  /** All calls for those who may change the model; the actor's own otherwise. */
  async callsOf(
    actor: Actor,
    id: string,
    page: { cursor?: string | undefined; limit: number },
  ): Promise<{ items: LlmCall[]; nextCursor: string | null }> {
    requireModelId(id);
    const { yourLevel } = await this.#context.catalog.get(actor, id);
    const isEditor = yourLevel === "edit" || yourLevel === "admin";
    readCursor(page.cursor, /^llm_[0-9a-z]{26}$/);
    return await this.#context.calls.ofModel(id, isEditor ? null : actor.userId, page);
  }

  /** One call, with what was said in it where that was kept. */
  async callOf(actor: Actor, id: string, callId: string): Promise<LlmCallText> {
    await this.#requireEditor(actor, id);
    const call = await this.#context.calls.one(id, callId);
    if (call === undefined) throw new AppError("not_found");
    return call;
  }

  /** @throws AppError `not_found` for a grant that is not on this model, `price_unknown` */
  /** @throws AppError `revision_conflict` when it is not that revision any more */
  async setCap(actor: Actor, id: string, subject: string, input: SpendCapInput, revision: Revision = "*"): Promise<SpendCap> {
    const config = await this.#requireEditor(actor, id, "asset:share");
    requirePrices(config);
    if (subject !== "public" && (await this.#grantName(id, subject)) === undefined) throw new AppError("not_found");
    const { queries } = this.#context.database;
    const saved = await queries.transaction().execute(async (work) => {
      const before = await lockCap(work, id, subject);
      if (revision !== "*" && before?.revision !== revision) return { before };
      await saveCap(work, id, toCapRow(subject, input), actor.userId);
      return null;
    });
    const cap = (await listCaps(queries, id)).find((one) => one.subject === subject);
    if (saved !== null)
      throw new AppError("revision_conflict", { details: { current: cap === undefined ? null : await this.#present(id, cap) } });
    if (cap === undefined) throw new AppError("not_found"); // taken away in the same moment
    return await this.#present(id, cap);
  }

  /**
   * A grant that lets people call a model lets them spend its owner's money, so it has a cap: the one that was said, the one that it has, or what is
   * usual here. None where it is said so, where nobody's money is spent, and on models of the system, which quotas bound.
   *
   * @throws AppError `price_unknown`, `conflict` when a cap has to be said
   */
  async capGrant(work: Work, { thing, grantId, level, cap, by }: GrantedThing): Promise<void> {
    if (!thing.id.startsWith("model_") || thing.type !== "asset") return;
    if (cap === null) return await deleteCap(work, thing.id, grantId);
    if (!levelCovers(level, "run")) return;
    const config = ModelConfig.parse(await store.findConfig(work, thing.id));
    const usual = this.#context.usualCap();
    if (cap === undefined) {
      const isBounded = thing.ownerId === "system" || (await listCaps(work, thing.id)).some(({ subject }) => subject === grantId);
      if (isBounded || !costs(config)) return;
      if (usual < 0 || !hasPrices(config)) throw needsGrantCap();
    }
    requirePrices(config);
    await saveCap(work, thing.id, toCapRow(grantId, cap ?? { amount: usual, period: "month" }), by);
  }

  /**
   * The same for the grants that a model has when calls of it begin to cost its owner, or it gets another owner: what is usual, or nothing where it has to
   * be said.
   *
   * @throws AppError `price_unknown`
   */
  async capGrants(work: Work, row: OwnedModel, next: { ownerId?: string; config?: unknown }, by: string | null): Promise<void> {
    const ownerId = next.ownerId ?? row.owner_id;
    if (row.type !== "model" || ownerId === "system") return;
    const [before, after] = [ModelConfig.parse(row.config), ModelConfig.parse(next.config ?? row.config)];
    const isSame = ownerId === row.owner_id;
    if (!costs(after) || (isSame && costs(before))) return;
    // Whoever is about to share it sees what it costs now, or is seen here.
    await lockGrants(work, "asset", row.id);
    const capped = await store.capGrants(work, row.id, Math.round(Math.max(this.#context.usualCap(), 0) * dollar), by);
    if (isSame && capped > 0) requirePrices(after);
  }

  async removeCap(actor: Actor, id: string, subject: string): Promise<void> {
    await this.#requireEditor(actor, id, "asset:share");
    if (subject === "public") {
      const { visibility, owner } = await this.#context.catalog.get(actor, id);
      if (visibility === "public" && owner.id !== "system") throw needsCap();
    }
    await deleteCap(this.#context.database.queries, id, subject.replaceAll("\0", ""));
  }

  /** A cap is leave to spend: whoever may share the model may say how much, and nobody for themselves. */
  async #requireEditor(actor: Actor, id: string, action: "asset:edit" | "asset:share" = "asset:edit"): Promise<ModelConfig> {
    requireModelId(id);
    const { config } = await this.#context.catalog.resolve(actor, action, id, undefined, "model");
    return ModelConfig.parse(config);
  }

  async #configOf(id: string): Promise<ModelConfig | undefined> {
    const config = await store.findConfig(this.#context.database.queries, id);
    return config === undefined ? undefined : ModelConfig.parse(config);
  }

  async #grantName(id: string, subject: string): Promise<string | undefined> {
    return subject.includes("\0") ? undefined : await store.findGrantName(this.#context.database.queries, id, subject);
  }

  async #present(id: string, { subject, amount, period, revision }: KeptCap): Promise<SpendCap> {
    const { spent, reserved, resetsAt } = await spentIn(this.#context.database.queries, capScope(id, subject), period);
    const name = subject === "public" ? "Everybody" : ((await this.#grantName(id, subject)) ?? "A grant that was taken back");
    return {
      subject,
      name,
      amount: amount / dollar,
      period,
      spent: spent / dollar,
      held: reserved / dollar,
      resetsAt: resetsAt?.toISOString() ?? null,
      revision,
    };
  }

  async #usable(actor: Actor): Promise<Set<string>> {
    const caller = { userId: actor.userId, role: actor.role, modelIds: null };
    return new Set((await listUsable(this.#context.database.queries, caller)).map(({ id }) => id));
  }

  async #probe(config: ModelConfig, ownerId: string): Promise<ModelTest> {
    return await this.#context.probe(config, () => revealSecrets(this.#context.credentials, config, ownerId));
  }
}

function toCapRow(subject: string, { amount, period }: SpendCapInput): CapRow {
  return { subject, amount: Math.round(amount * dollar), period };
}

function hasPrices({ prices }: Pick<ModelConfig, "prices">): boolean {
  return prices.input !== null && prices.output !== null;
}

/** Whether calls of it may cost its owner something. */
function costs(config: ModelConfig): boolean {
  return credentialsOf(config).length > 0 || hasPrices(config);
}

/** A header that is likely to hold a secret names a credential; one that was there stays. @throws AppError `invalid_request` */
function refuseOpenSecrets({ headers }: ModelConfig, before: ModelConfig | undefined): void {
  const fields = Object.entries(headers)
    .filter(([name, value]) => looksSecret(name) && before?.headers[name] !== value)
    .map(([name]) => ({
      path: `config.headers.${name}`,
      message: "is likely to hold a secret: keep that as a credential, in `secretHeaders`",
    }));
  if (fields.length > 0) throw new AppError("invalid_request", { fields });
}

/** What is known of a model once it was tried: what could not be tried stays as it was. */
function seenCapabilities(before: ModelConfig["capabilities"], { ok, capabilities: seen }: ModelTest): ModelConfig["capabilities"] {
  if (!ok) return before;
  const set = new Set(before.modalities);
  const note = (modality: "image" | "embedding", can: boolean | null) => {
    if (can === true) set.add(modality);
    else if (can === false) set.delete(modality);
  };
  note("image", seen.vision);
  note("embedding", seen.embeddings);
  return {
    ...before,
    streaming: seen.streaming ?? before.streaming,
    tools: seen.tools ?? before.tools,
    json: seen.json ?? before.json,
    modalities: [...set],
  };
}

function requirePrices(config: Pick<ModelConfig, "prices">): void {
  if (!hasPrices(config)) throw new AppError("price_unknown");
}

function needsGrantCap(): AppError {
  return new AppError("conflict", {
    message: "Say what may be spent: whoever can call the model spends its owner's money.",
    hint: "Send `cap` with an amount, for which the model needs prices, or `cap: null` for any amount.",
    fields: [{ path: "cap", message: "is needed for this model" }],
  });
}

function requireModelId(id: string): void {
  if (!id.startsWith("model_")) throw new AppError("not_found");
}

function needsCap(): AppError {
  return new AppError("conflict", {
    message: "A public model needs a cap on what everybody may spend.",
    hint: "Set it with `publicCap`.",
    fields: [{ path: "publicCap", message: "is needed for a public model" }],
  });
}
