import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "apps/*/test/**/*.test.ts", "e2e/**/*.test.ts", "tools/test/**/*.test.ts"],
    globalSetup: ["packages/testkit/src/global-setup.ts"],
    // Real servers, databases and sandboxes on whatever machine: limits against hanging, not measures of speed.
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000, interval: 50 } },
    teardownTimeout: 30_000,
    coverage: {
      provider: "v8",
      include: ["packages/*/src/**/*.ts", "apps/server/src/**/*.ts"],
      exclude: ["packages/testkit/**", "**/*.gen.ts"],
      reporter: ["text-summary", "json-summary", "lcov"],
    },
  },
});
