import { relative } from "node:path";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The test files that take longest, the longest first: a worker that gets one last has nobody beside it.
 * How long each took stands in `.build/test-results.json`; the order matters only roughly.
 */
const longest = [
  "e2e/web-accessibility.test.ts",
  "apps/cli/test/local-server.test.ts",
  "apps/cli/test/real-runs.test.ts",
  "apps/server/test/runtimes/examples.test.ts",
  "apps/server/test/system/process.test.ts",
  "apps/server/test/runs/killed-server.test.ts",
  "e2e/web-runs.test.ts",
  "e2e/web-share-links.test.ts",
  "apps/server/test/environments/node-and-go.test.ts",
  "e2e/web-catalog.test.ts",
  "packages/sandbox/test/session.test.ts",
  "packages/sandbox/test/dormant.test.ts",
  "apps/server/test/imports/imports.test.ts",
  "apps/cli/test/sharing.test.ts",
  "apps/cli/test/programs.test.ts",
  "e2e/web-accounts.test.ts",
  "e2e/web-environments.test.ts",
  "apps/server/test/environments/environments.test.ts",
  "e2e/web-first-minute.test.ts",
  "e2e/web-connection.test.ts",
  "apps/server/test/runs/killed-compilation.test.ts",
  "apps/server/test/system/users.test.ts",
];

/** Begins with the files that take longest, and goes on as Vitest does. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.indexOf(relative(this.ctx.config.root, moduleId));
      return place < 0 ? longest.length : place;
    };
    const group = ({ project }: TestSpecification): number => project.config.sequence.groupOrder;
    // A process is shared by files that follow each other.
    const sharing = ({ project }: TestSpecification): number => Number(!project.config.isolate);
    // oxlint-disable-next-line unicorn/no-array-sort -- not an array's
    const sorted = await super.sort(files);
    return sorted.toSorted((a, b) => group(a) - group(b) || sharing(a) - sharing(b) || rank(a) - rank(b));
  }
}
