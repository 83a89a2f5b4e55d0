import { AppError } from "@syla/contracts/errors";
import type { KeyQuotaName, QuotaName } from "@syla/contracts/quotas";

/** A quota as it stands when something is asked for. */
export interface QuotaState {
  readonly quota: QuotaName;
  readonly limit: number;
  readonly used: number;
  readonly resetsAt: Date | null;
  /** The key that it is a quota of; a person's, when left out. */
  readonly key?: { readonly id: string; readonly name: string };
}

export const megabyte = 1_000_000;
const warningShare = 0.8;

export function isNearlyUsed({ limit, used }: { readonly limit: number; readonly used: number }): boolean {
  return limit > 0 && used >= warningShare * limit;
}

const sentences: Readonly<Record<QuotaName, (limit: number) => string>> = {
  concurrentRuns: (limit) => `You may have ${limit} runs at once.`,
  runsPerDay: (limit) => `You may start ${limit} runs a day, and have.`,
  cpuSecondsPerMonth: (limit) => `You may use ${hours(limit)} of CPU time a month, and have.`,
  storageMb: (limit) => `You may store ${limit} MB, and there is no room left for this.`,
  executionsPerMinute: (limit) => `You may start ${limit} executions a minute.`,
  llmSpendPerMonth: (limit) => `You may spend $${limit} on models a month, and have.`,
};

const keySentences: Readonly<Record<KeyQuotaName, (limit: number) => string>> = {
  concurrentRuns: (limit) => `may have ${limit} runs at once.`,
  runsPerDay: (limit) => `may start ${limit} runs a day, and has.`,
  cpuSecondsPerMonth: (limit) => `may use ${hours(limit)} of CPU time a month, and has.`,
  storageMb: (limit) => `may store ${limit} MB, and there is no room left for this.`,
  executionsPerMinute: (limit) => `may start ${limit} executions a minute.`,
  llmSpendPerMonth: (limit) => `may spend $${limit} on models a month, and has.`,
};

/** What a quota says. */
export function describeQuota({ quota, limit, key }: Pick<QuotaState, "quota" | "limit" | "key">): string {
  if (key === undefined) return sentences[quota](limit);
  return `The API key “${key.name}” (${key.id}) ${keySentences[quota](limit)}`;
}

/** When room in the storage may have been made; nobody knows. */
const laterSeconds = 3600;

/** The refusal: which quota, how much of it, and when it is counted anew. */
export function quotaExceeded(state: QuotaState): AppError {
  const { quota, limit, used, resetsAt, key } = state;
  const until = resetsAt === null ? laterSeconds : Math.max(1, (resetsAt.getTime() - Date.now()) / 1000);
  const again = resetsAt === null ? "" : ` It is counted anew at ${resetsAt.toISOString()}.`;
  return new AppError("quota_exceeded", {
    message: describeQuota(state) + again,
    details: {
      quota,
      limit,
      used,
      resetsAt: resetsAt?.toISOString() ?? null,
      ...(key === undefined ? {} : { apiKeyId: key.id, apiKeyName: key.name }),
    },
    retryAfter: until,
  });
}

function hours(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} hours` : `${seconds} seconds`;
}

/** Whether nothing is left, or not so many bytes more. */
export function isOver({ quota, limit, used }: QuotaState, newBytes: number): boolean {
  return limit >= 0 && (used >= limit || (quota === "storageMb" && used + newBytes / megabyte > limit));
}
