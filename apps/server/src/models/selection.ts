import type { Role } from "@syla/contracts/accounts";
import { levelCovers } from "@syla/contracts/access";
import { AppError } from "@syla/contracts/errors";
import { ModelConfig } from "@syla/contracts/model-config";
import { findTeamRoles } from "../access/service.ts";
import type { Queries } from "../platform/database.ts";
import type { Leave } from "../spend/service.ts";
import { listCaps } from "../spend/service.ts";
import * as store from "./store.ts";

/** Somebody who wants to call a model. */
export interface ModelCaller {
  readonly userId: string;
  readonly role: Role;
  /** The only models that may be called, as a run is bound to them; the first answers to names that nobody knows. Null: any. */
  readonly modelIds: readonly string[] | null;
}

/** A model that may be called, and the leaves to spend on it that reach the caller. */
export interface SelectedModel {
  readonly id: string;
  readonly name: string;
  readonly slug: string;
  readonly ownerId: string;
  readonly config: ModelConfig;
  readonly createdAt: Date;
  readonly leaves: readonly Leave[];
}

const free: Leave = { subject: null, name: "its owner", limit: null, period: "total" };
/** On a model of the system that no cap is set for: people's own quotas hold all the same. */
const systemFree: Leave = { ...free, name: "everybody" };

/**
 * The model that a name means to the caller, and what they may spend on it. It is looked at for every call, so that what was taken back ends
 * at once.
 *
 * @throws AppError `unknown_model`, `forbidden`
 */
export async function selectModel(queries: Queries, caller: ModelCaller, name: string): Promise<SelectedModel> {
  const teams = await findTeamRoles(queries, caller.userId);
  const teamIds = [...teams.keys()];
  const text = name.includes("\0") ? "" : name;
  // `ollama` clients say `name:latest` when they mean `name`.
  const names = text.endsWith(":latest") ? [text, text.slice(0, -":latest".length)] : [text];
  let row: store.ModelRow | undefined;
  for (const word of names) row ??= await store.findByName(queries, caller, teamIds, word);
  const [fallback] = caller.modelIds ?? [];
  if (row === undefined && fallback !== undefined) row = await store.findByName(queries, caller, teamIds, fallback);
  if (row === undefined) throw new AppError("unknown_model", { details: { model: name } });
  const config = ModelConfig.parse(row.config);
  const leaves = await leavesFor(queries, caller.userId, teamIds, row);
  const isOwn = leaves.includes(free);
  if (leaves.length === 0 || (!isOwn && !config.roles.includes(caller.role)))
    throw new AppError("forbidden", {
      message:
        leaves.length === 0
          ? "You may see this model, and have no leave to spend on it."
          : "This model does not answer people of your role.",
      hint:
        row.owner_id === "system"
          ? "Administrators say who may select it."
          : "Its owner can share it with you, with what you may spend on it.",
    });
  return { id: row.id, name: row.name, slug: row.slug, ownerId: row.owner_id, config, createdAt: row.created_at, leaves };
}

/** All models that somebody has leave for. */
export async function listUsable(queries: Queries, caller: ModelCaller): Promise<SelectedModel[]> {
  const teamIds = [...(await findTeamRoles(queries, caller.userId)).keys()];
  const rows = await store.listReaching(queries, caller, teamIds);
  const found: SelectedModel[] = [];
  for (const row of rows) {
    const parsed = ModelConfig.safeParse(row.config);
    const leaves = parsed.success ? await leavesFor(queries, caller.userId, teamIds, row) : [];
    if (!parsed.success || leaves.length === 0) continue;
    if (!leaves.includes(free) && !parsed.data.roles.includes(caller.role)) continue;
    const { id, name, slug, owner_id: ownerId, created_at: createdAt } = row;
    found.push({ id, name, slug, ownerId, config: parsed.data, createdAt, leaves });
  }
  return found;
}

/**
 * Owners and members of the owning team spend freely; others by grants, and by what is public. The system's models have no owner: whoever calls
 * one is among those others, administrators too.
 */
async function leavesFor(queries: Queries, userId: string, teamIds: readonly string[], row: store.ModelRow): Promise<Leave[]> {
  if (row.owner_id === userId || teamIds.includes(row.owner_id)) return [free];
  const grants = await store.listGrantsFor(queries, userId, teamIds, row.id);
  const leaves = grants
    .filter(({ level }) => levelCovers(level, "run"))
    .map(({ id, name, amount, period }): Leave => ({
      subject: id,
      name: `the grant for ${name ?? "you"}`,
      limit: amount,
      period: period ?? "total",
    }));
  if (row.visibility !== "public") return leaves;
  const open = (await listCaps(queries, row.id)).find(({ subject }) => subject === "public");
  // Without a cap, public is leave to look; what is the system's is there to be used.
  if (open === undefined) return row.owner_id === "system" ? [...leaves, systemFree] : leaves;
  return [...leaves, { subject: "public", name: "what everybody may spend", limit: open.amount, period: open.period }];
}
