import type { KeyQuotaName, QuotaName } from "@syla/contracts/quotas";
import { notify } from "../notifications/service.ts";
import type { Queries } from "../platform/database.ts";
import type { QuotaWarning } from "./service.ts";

const names: Readonly<Record<QuotaName, string>> = {
  concurrentRuns: "the runs that you may have at once",
  runsPerDay: "your runs of today",
  cpuSecondsPerMonth: "your CPU time of this month",
  storageMb: "your storage",
  executionsPerMinute: "the executions of this minute",
  llmSpendPerMonth: "what you may spend on models this month",
};

const keyNames: Readonly<Record<KeyQuotaName, string>> = {
  concurrentRuns: "the runs that it may have at once",
  runsPerDay: "its runs of today",
  cpuSecondsPerMonth: "its CPU time of this month",
  storageMb: "its storage",
  executionsPerMinute: "its executions of this minute",
  llmSpendPerMonth: "what it may spend on models this month",
};

/** Tells a person that a quota of theirs is nearly used up, or was. */
export async function tellOfQuota(queries: Queries, warning: QuotaWarning): Promise<void> {
  const { userId, quota, used, limit, resetsAt, isUsedUp, key } = warning;
  const [who, what] = key === undefined ? ["You have", names[quota]] : [`Your API key “${key.name}” has`, keyNames[quota]];
  const share = Math.min(100, Math.floor((used / limit) * 100));
  await queries.transaction().execute((work) =>
    notify(work, {
      userId,
      type: isUsedUp ? "quota_exceeded" : "quota_warning",
      title: isUsedUp ? `${who} used up ${what}` : `${who} used ${share} % of ${what}`,
      body: resetsAt === null ? "" : `It is counted anew at ${resetsAt.toISOString()}.`,
      link: key === undefined ? "/usage" : "/settings/api-keys",
      details: { quota, used, limit, ...(key === undefined ? {} : { apiKeyId: key.id }) },
    }),
  );
}
