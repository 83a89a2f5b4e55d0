import { join } from "node:path";
import type { SandboxExit } from "@syla/sandbox/spec";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, it } from "vitest";
import type { ModelAccess } from "../../src/gateway/run-access.ts";
import type { Blobs } from "../../src/platform/blobs.ts";
import { Secret } from "../../src/platform/secret.ts";
import { runConfigs } from "../../src/runs/config.ts";
import { Execution, type Attempt } from "../../src/runs/execution.ts";
import { LiveRun } from "../../src/runs/live-run.ts";
import type { Preparation } from "../../src/runs/prepare-program.ts";
import type { Sandboxes } from "../../src/sandboxes/service.ts";

const exit: SandboxExit = {
  type: "exit",
  exitCode: 0,
  signal: null,
  reason: null,
  outOfMemory: false,
  runMs: 1,
  cpuMs: 1,
  peakMemoryBytes: null,
  stdoutBytes: 0,
  stderrBytes: 0,
  droppedBytes: 0,
  failure: null,
};

it("a program that has ended has an outcome although nobody can say what it has spent", async () => {
  using directory = createTemporaryDirectory();
  const live = new LiveRun("run", join(directory.path, "run.jsonl"));
  const away = () => Promise.reject(new Error("the database is away"));
  const access = { token: new Secret("token"), confidential: new Secret("part"), env: {}, totals: away, close: away };
  const models = { open: () => Promise.resolve(access) } as unknown as ModelAccess;
  const sandboxes = {
    start: async (_tier: string, { begin }: { begin: () => Promise<void> }) => {
      await begin();
      return { limits: null, network: () => null, cancel: () => {}, events: [exit] };
    },
  } as unknown as Sandboxes;
  const attempt = {
    runId: "run",
    ownerId: "user",
    keyId: null,
    number: 1,
    runtime: { definition: { name: "bash", errors: [] }, version: "5", spec: { command: ["bash"] } },
    entrypoint: "main.sh",
    config: runConfigs.parse({
      version: null,
      args: [],
      env: {},
      files: [],
      stdin: null,
      limits: {},
      tier: "namespace",
      network: "gateway",
      models: ["m"],
    }),
    live,
    claimedAt: Date.now(),
    begin: () => Promise.resolve(),
    onPhase: () => {},
  } as unknown as Attempt;
  const preparation = { compilations: { compile: () => Promise.resolve(null) } } as unknown as Preparation;
  const outcome = await new Execution(attempt, {} as Blobs, sandboxes, preparation, models).perform();
  expect(outcome).toMatchObject({ verdict: { status: "succeeded" }, result: { usage: { llm: null } }, retryable: false });
  await live.discard();
});
