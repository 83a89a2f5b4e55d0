import { matchesGlob } from "node:path";

const memory = "measures how its process's memory grows";

/**
 * The test files that have a process of their own, as globs, each with the reason. All others that run two at a time share processes, one
 * file after another. `vitest.config.ts` takes the groups from here.
 */
export const apartFiles: Readonly<Record<string, string>> = {
  "apps/server/test/gateway/node-clients.test.ts": "starts a compiler that goes on until its process ends",
  "apps/server/test/runs/judging/judging.test.ts": memory,
  "apps/server/test/runs/live-run.test.ts": memory,
  "packages/sandbox/test/**/*.test.ts": "looks at everything below its process: processes, groups, mounts",
};

/** Whether a test file has a process of its own, unless it runs alone anyway. */
export function runsApart(path: string): boolean {
  return Object.keys(apartFiles).some((glob) => matchesGlob(path, glob));
}
