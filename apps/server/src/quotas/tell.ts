import type { QuotaName } from "@syla/contracts/quotas";
import { notify } from "../notifications/service.ts";
import type { Queries } from "../platform/database.ts";
import type { QuotaWarning } from "./service.ts";

const names: Readonly<Record<QuotaName, string>> = {
  concurrentRuns: "the runs that you may have at once",
  runsPerDay: "your runs of today",
  cpuSecondsPerMonth: "your CPU time of this month",
  storageMb: "your storage",
  executionsPerMinute: "the executions of this minute",
};

/** Tells a person that a quota of theirs is nearly used up, or was. */
export async function tellOfQuota(queries: Queries, { userId, quota, used, limit, resetsAt, isUsedUp }: QuotaWarning): Promise<void> {
  const share = Math.min(100, Math.floor((used / limit) * 100));
  await queries.transaction().execute((work) =>
    notify(work, {
      userId,
      type: isUsedUp ? "quota_exceeded" : "quota_warning",
      title: isUsedUp ? `You have used up ${names[quota]}` : `You have used ${share} % of ${names[quota]}`,
      body: resetsAt === null ? "" : `It is counted anew at ${resetsAt.toISOString()}.`,
      link: "/usage",
      details: { quota, used, limit },
    }),
  );
}
