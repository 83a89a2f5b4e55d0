import { matchesGlob } from "node:path";

const countsRuns = "counts how many runs two servers have at once, while they are there";
const sandboxFaults = "stops parts of sandboxes and kills them; the end has to come within seconds";

/**
 * The test files that run with no other beside them, as globs, each with the reason: they measure, or count on the whole machine.
 * All others run two at a time. `vitest.config.ts` takes the groups from here.
 */
export const aloneFiles: Readonly<Record<string, string>> = {
  "apps/server/test/long/faults/loop.test.ts": "kills servers, databases and sandboxes, and looks at what the machine holds",
  "apps/server/test/platform/postgres.test.ts": "kills the database's processes and counts those that are left",
  "apps/server/test/quotas/key-quotas.test.ts": countsRuns,
  "apps/server/test/quotas/quotas.test.ts": countsRuns,
  "apps/server/test/runs/database-outage.test.ts": "lets a database stand still",
  "apps/server/test/runs/full-disk.test.ts": "fills a disk",
  "apps/server/test/runs/hostile-programs.test.ts": "its programs use up processors, memory and processes",
  "apps/server/test/workers/lease.test.ts": "lets leases expire, which a busy machine does as well",
  "packages/sandbox/test/escape/*.test.ts": "looks at what the whole machine holds, and uses up its memory and processes",
  "packages/sandbox/test/faults.test.ts": sandboxFaults,
  "packages/sandbox/test/long/*.test.ts": "compares what the machine holds before and after",
  "packages/sandbox/test/network/faults.test.ts": sandboxFaults,
  "packages/sandbox/test/pool.test.ts": "its jails come and go by the clock, within fractions of a second",
};

/** Whether a test file is in the group of those that run alone. */
export function runsAlone(path: string): boolean {
  return Object.keys(aloneFiles).some((glob) => matchesGlob(path, glob));
}
