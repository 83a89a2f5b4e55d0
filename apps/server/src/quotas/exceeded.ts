import { AppError } from "@syla/contracts/errors";
import type { QuotaName } from "@syla/contracts/quotas";

/** A quota as it stands when something is asked for. */
export interface QuotaState {
  readonly quota: QuotaName;
  readonly limit: number;
  readonly used: number;
  readonly resetsAt: Date | null;
}

const sentences: Readonly<Record<QuotaName, (limit: number) => string>> = {
  concurrentRuns: (limit) => `You may have ${limit} runs at once.`,
  runsPerDay: (limit) => `You may start ${limit} runs a day, and have.`,
  cpuSecondsPerMonth: (limit) => `You may use ${hours(limit)} of CPU time a month, and have.`,
  storageMb: (limit) => `You may store ${limit} MB, and there is no room left for this.`,
  executionsPerMinute: (limit) => `You may start ${limit} executions a minute.`,
};

/** When room in the storage may have been made; nobody knows. */
const laterSeconds = 3600;

/** The refusal: which quota, how much of it, and when it is counted anew. */
export function quotaExceeded({ quota, limit, used, resetsAt }: QuotaState): AppError {
  const until = resetsAt === null ? laterSeconds : Math.max(1, (resetsAt.getTime() - Date.now()) / 1000);
  const again = resetsAt === null ? "" : ` It is counted anew at ${resetsAt.toISOString()}.`;
  return new AppError("quota_exceeded", {
    message: sentences[quota](limit) + again,
    details: { quota, limit, used, resetsAt: resetsAt?.toISOString() ?? null },
    retryAfter: until,
  });
}

function hours(seconds: number): string {
  return seconds % 3600 === 0 ? `${seconds / 3600} hours` : `${seconds} seconds`;
}
