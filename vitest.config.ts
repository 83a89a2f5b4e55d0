import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { aloneFiles } from "./tools/boundaries/alone-files.ts";
import { apartFiles } from "./tools/boundaries/apart-files.ts";
import { LongestFirst } from "./tools/longest-first.ts";
import { sharedProcess } from "./tools/shared-process.ts";

const include = ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "e2e/**/*.test.ts", "tools/test/**/*.test.ts"];
const pages = ["apps/web/test/**/*.test.ts"];
const alone = Object.keys(aloneFiles);
const apart = Object.keys(apartFiles);
const isCoverage = process.argv.some((word) => word.startsWith("--coverage"));

/** Files that follow each other in a process, which loads what they test once. */
const shared = isCoverage
  ? {}
  : { pool: sharedProcess, isolate: false, setupFiles: [join(import.meta.dirname, "packages/testkit/src/nothing-left.ts")] };

export default defineConfig({
  test: {
    globalSetup: ["packages/testkit/src/global-setup.ts"],
    // Real servers, databases and sandboxes on whatever machine: limits against hanging, not measures of speed.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000, interval: 50 } },
    teardownTimeout: 30_000,
    sequence: { sequencer: LongestFirst },
    // Coverage would be less precise with it.
    // Node strips the types itself and keeps what it has compiled: a test's server is there in half of the time.
    experimental: { viteModuleRunner: isCoverage, nodeLoader: false },
    env: isCoverage ? {} : { NODE_COMPILE_CACHE: join(import.meta.dirname, ".build/compile-cache") },
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts", "apps/server/src/**/*.ts"],
      exclude: ["packages/testkit/**", "**/*.gen.ts"],
      reporter: ["text-summary", "json-summary", "lcov"],
    },
    // CONTRIBUTING.md says which files belong where; `npm run check:boundaries` knows most that must be alone.
    projects: [
      // Node does not read JSX.
      { extends: true, test: { name: "pages", include: pages, maxWorkers: 2, experimental: { viteModuleRunner: true } } },
      { extends: true, test: { name: "apart", include: apart, exclude: alone, maxWorkers: 2 } },
      { extends: true, test: { name: "together", include, exclude: [...alone, ...apart, ...pages], maxWorkers: 2, ...shared } },
      { extends: true, test: { name: "alone", include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
  },
});
