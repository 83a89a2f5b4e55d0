import type { Role } from "@syla/contracts/accounts";
import type { QuotaName } from "@syla/contracts/quotas";
import type { Settings } from "../settings/service.ts";

/** What one person may use. -1: no limit. */
export type QuotaLimits = Readonly<Record<QuotaName, number>>;

/** What somebody may use for whom nothing else is said, as it is now. */
export function defaultLimits(settings: Pick<Settings, "get">): QuotaLimits {
  return {
    concurrentRuns: settings.get("quotaConcurrentRuns"),
    runsPerDay: settings.get("quotaRunsPerDay"),
    cpuSecondsPerMonth: settings.get("quotaCpuSecondsPerMonth"),
    storageMb: settings.get("quotaStorageMb"),
    executionsPerMinute: settings.get("quotaExecutionsPerMinute"),
    llmSpendPerMonth: settings.get("quotaLlmSpendPerMonth"),
  };
}

const noLimits: QuotaLimits = {
  concurrentRuns: -1,
  runsPerDay: -1,
  cpuSecondsPerMonth: -1,
  storageMb: -1,
  executionsPerMinute: -1,
  llmSpendPerMonth: -1,
};

/** How many runs each role may have at once, as the queue takes it. */
export function roleConcurrency({ concurrentRuns }: QuotaLimits): Readonly<Record<Role, number>> {
  return { end_user: concurrentRuns, developer: concurrentRuns, admin: noLimits.concurrentRuns };
}

/** Limits that were set for a person; null where the role's holds. */
export type QuotaOverrides = Readonly<Record<QuotaName, number | null>>;

/** What holds for a person. */
export interface PersonLimits {
  readonly limits: QuotaLimits;
  /** Those of the role. */
  readonly defaults: QuotaLimits;
  readonly overrides: QuotaOverrides;
  /** They are in a team that may have only so many runs at once. */
  readonly hasLimitedTeam: boolean;
}

/** What is said of a person. */
export interface PersonFacts {
  readonly role: Role;
  readonly overrides: QuotaOverrides;
  readonly hasLimitedTeam: boolean;
}

export const noOverrides: QuotaOverrides = {
  concurrentRuns: null,
  runsPerDay: null,
  cpuSecondsPerMonth: null,
  storageMb: null,
  executionsPerMinute: null,
  llmSpendPerMonth: null,
};

/** The limits of a person: their own, else those of the role. `defaults`: of who is no administrator. */
export function limitsFor({ role, overrides, hasLimitedTeam }: PersonFacts, defaults: QuotaLimits): PersonLimits {
  const own = Object.fromEntries(Object.entries(overrides).filter(([, value]) => value !== null)) as Partial<QuotaLimits>;
  const ofRole = role === "admin" ? noLimits : defaults;
  return { limits: { ...ofRole, ...own }, defaults: ofRole, overrides, hasLimitedTeam };
}
