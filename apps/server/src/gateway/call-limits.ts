import type { ModelConfig } from "@syla/contracts/model-config";
import type { SelectedModel } from "../models/service.ts";
import type { Quotas } from "../quotas/service.ts";
import { dollar, type SpendQuota } from "../spend/service.ts";
import type { Plausible } from "./metering/count.ts";
import type { Endpoint } from "./protocol.ts";
import { mostOutputTokens, withMost, withoutStoring, type Body } from "./request.ts";

/** What a call may cost at most is not known where it does not say how much may be written: then this many tokens are held back. */
export const assumedOutputTokens = 4096;
/** No model reads or writes more at once, as far as nobody has written down otherwise. */
const largestWindow = 10_000_000;

/** Whether a caller is the model's owner, or one of the team that is. */
export function paysForIt({ ownerId, leaves }: SelectedModel): boolean {
  return ownerId !== "system" && leaves.some(({ subject, limit }) => subject === null && limit === null);
}

/**
 * Where a cap holds, or others pay, no call writes more than what is held back for it. Answers of one's own models are as long as their provider
 * makes them, unless the key that they are asked for with has a limit of its own, or a budget stops.
 */
export function limited(
  endpoint: Endpoint,
  came: { text: string; body: Body },
  model: SelectedModel,
  quota: SpendQuota,
): { text: string; body: Body } {
  const { config, leaves } = model;
  const given = paysForIt(model) ? came : withoutStoring(endpoint, came, config);
  const isFree = (config.prices.output ?? 0) === 0;
  const isLimited = !isFree && (!paysForIt(model) || (quota.key?.limit ?? null) !== null || quota.budgets.some(({ stops }) => stops));
  const isCapped = isLimited || leaves.every(({ limit }) => limit !== null);
  if (!isCapped || mostOutputTokens(endpoint, given.body, config) !== null) return given;
  return withMost(endpoint, given.text, given.body, config, assumedOutputTokens);
}

/** The key that is used, as far as it has a quota of its own. */
export function keyQuotaOf(key: Awaited<ReturnType<Quotas["spendKey"]>>): SpendQuota["key"] {
  if (key === null) return null;
  const { llmSpendPerMonth: limit } = key.limits;
  return { id: key.id, name: key.name, limit: limit === null ? null : limit * dollar };
}

/** Generous: thinking may not be in what a call says, pictures are not in its text. */
export function plausibleUse({ capabilities }: ModelConfig, asked: number | null): Plausible {
  const input = Math.max(largestWindow, capabilities.contextWindow ?? 0);
  return { input, output: asked === null ? largestWindow : asked * 4 + 16_384, asked: asked ?? 0 };
}
