import type { Role } from "@syla/contracts/accounts";
import type { QuotaName } from "@syla/contracts/quotas";

/** What one person may use. -1: no limit. */
export type QuotaLimits = Readonly<Record<QuotaName, number>>;

const person: QuotaLimits = {
  concurrentRuns: 3,
  runsPerDay: 50,
  cpuSecondsPerMonth: 100 * 3600,
  storageMb: 5000,
  executionsPerMinute: 600,
};

/** What holds for a role where nothing else is said for the person. */
const roleLimits: Readonly<Record<Role, QuotaLimits>> = {
  end_user: person,
  developer: person,
  admin: { concurrentRuns: -1, runsPerDay: -1, cpuSecondsPerMonth: -1, storageMb: -1, executionsPerMinute: -1 },
};

/** How many runs each role may have at once, as the queue takes it. */
export const roleConcurrency: Readonly<Record<Role, number>> = {
  end_user: roleLimits.end_user.concurrentRuns,
  developer: roleLimits.developer.concurrentRuns,
  admin: roleLimits.admin.concurrentRuns,
};

/** Limits that were set for a person; null where the role's holds. */
export type QuotaOverrides = Readonly<Record<QuotaName, number | null>>;

/** What holds for a person. */
export interface PersonLimits {
  readonly limits: QuotaLimits;
  readonly overrides: QuotaOverrides;
}

export const noOverrides: QuotaOverrides = {
  concurrentRuns: null,
  runsPerDay: null,
  cpuSecondsPerMonth: null,
  storageMb: null,
  executionsPerMinute: null,
};

/** The limits of a person: their own, else those of the role. */
export function limitsFor(role: Role, overrides: QuotaOverrides): PersonLimits {
  const own = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== null)) as Partial<QuotaLimits>;
  return { limits: { ...roleLimits[role], ...own }, overrides };
}
