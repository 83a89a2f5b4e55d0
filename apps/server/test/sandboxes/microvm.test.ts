import { symlinkSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";
import { runtimeRoutes } from "@syla/contracts/runtimes";
import { systemRoutes } from "@syla/contracts/system";
import { findTestGuest } from "@syla/testkit/guest";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const { folder, image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);
const runtimes = createTemporaryDirectory();
afterAll(() => runtimes[Symbol.dispose]());

describe.skipIf(image === null)("runs in virtual machines", () => {
  let server: TestServer;
  beforeAll(async () => {
    symlinkSync(folder, join(runtimes.path, "guest"));
    server = await startTestServer({ SYLA_RUNTIMES_DIR: runtimes.path, SYLA_MICROVM_ACCELERATOR: "tcg" });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("are asked for by each run, and recorded with what enforces their limits", async () => {
    const code = "import os; print(os.uname().release); open('/output/made', 'w').write('x')";
    const run = await execute(server, { language: "python", code, tier: "microvm" });
    expect(run).toMatchObject({ status: "succeeded", tier: "microvm", exitCode: 0, limits: { memoryBytes: { enforcedBy: "cgroup" } } });
    const log = await (await server.fetch(`/api/v1/runs/${run.id}/log`)).text();
    expect(log).toContain(image?.kernel);
    expect(log).not.toContain(release());
  });

  it("are judged case by case, each in a machine of its own", async () => {
    const cases = [
      { stdin: "2", expected: { stdout: "4" } },
      { stdin: "3", expected: { stdout: "7" } },
    ];
    const run = await execute(server, { language: "python", code: "print(2 * int(input()))", tests: { cases }, tier: "microvm" });
    expect(run.tests?.cases.map(({ verdict }) => verdict)).toEqual(["accepted", "wrong_answer"]);
  });

  it("are told what machines cannot do", async () => {
    const run = await execute(server, { language: "python", code: "1", network: "full", tier: "microvm" });
    expect(run).toMatchObject({ status: "failed", error: { code: "network_unavailable" } });
  });

  it("the doctor says how machines are made here", async () => {
    const { checks, tiers } = systemRoutes.getDoctor.responses[200].parse(await (await server.fetch("/api/v1/doctor")).json());
    expect(tiers.find(({ tier }) => tier === "microvm")).toMatchObject({
      available: true,
      walls: ["qemu (emulated)", "bubblewrap", "guest kernel", "namespaces", "seccomp"],
    });
    expect(checks.find(({ name }) => name === "virtual machines")?.detail).toContain(`guests run Linux ${image?.kernel}`);
    const options = runtimeRoutes.getRunOptions.responses[200].parse(await (await server.fetch("/api/v1/run-options")).json());
    expect(options.tiers.find(({ tier }) => tier === "microvm")).toMatchObject({ available: true });
  });
});
