import type { TierReport } from "@syla/sandbox/spec";

/** How long what was found by trying the tiers is told to whoever chooses one. */
const keptMs = 600_000;
const retriedMs = 10_000;

/** What was found by trying the tiers, which takes a sandbox and, on a busy machine, a while. */
export interface KeptReports {
  /** Tries them now. */
  tryAll(): Promise<readonly TierReport[]>;
  /** As they were found last, at once: when that is old, they are tried again meanwhile, for whoever asks later. */
  last(): Promise<readonly TierReport[]>;
}

/** Keeps what `tryTiers` finds. That one trial came to nothing, on a machine that has made sandboxes, is not believed before the next. */
export function keepReports(tryTiers: () => Promise<readonly TierReport[]>): KeptReports {
  let kept: readonly TierReport[] | null = null;
  let triedAt = 0;
  let trying: Promise<readonly TierReport[]> | null = null;
  const doubted = new Set<string>();
  const choose = (report: TierReport): TierReport => {
    const before = kept?.find(({ tier }) => tier === report.tier);
    const isFailure = !report.available && report.refusal === undefined;
    if (isFailure && before?.available === true && !doubted.has(report.tier)) {
      doubted.add(report.tier);
      return before;
    }
    doubted.delete(report.tier);
    return report;
  };
  const tryOnce = async () => {
    const reports = await tryTiers();
    kept = reports.map(choose);
    triedAt = performance.now();
    return reports;
  };
  const tryAll = () => (trying ??= tryOnce().finally(() => (trying = null)));
  return {
    tryAll,
    async last() {
      if (kept === null) return await tryAll();
      const isGood = doubted.size === 0 && kept.every(({ available }) => available);
      if (performance.now() - triedAt > (isGood ? keptMs : retriedMs)) tryAll().catch(() => {}); // whoever asks next tries again
      return kept;
    },
  };
}
