import { release } from "node:os";
import { systemRoutes } from "@syla/contracts/system";
import { execute } from "@syla/testkit/runs";
import { startTestServer } from "@syla/testkit/server";
import { describe, expect, it } from "vitest";
import { findProgram } from "../../src/sandboxes/programs.ts";

const hasGvisor = findProgram("runsc") !== null;
if (!hasGvisor) process.stdout.write("\nno container of gVisor's is started: runsc is not installed. As root: apt-get install runsc\n");

describe("runs in containers of gVisor's", { timeout: 60_000 }, () => {
  it.skipIf(!hasGvisor)("are asked for by each run, and recorded with what enforces their limits", async () => {
    await using server = await startTestServer();
    const code = "import os; print(os.uname().release); open('/output/made', 'w').write('x')";
    const run = await execute(server, { language: "python", code, tier: "gvisor" });
    expect(run).toMatchObject({ status: "succeeded", tier: "gvisor", exitCode: 0, error: null });
    const log = await (await server.fetch(`/api/v1/runs/${run.id}/log`)).text();
    expect(log).toContain("4.4.0");
    expect(log).not.toContain(release());
    const networked = await execute(server, { language: "python", code: "1", network: "full", tier: "gvisor" });
    expect(networked).toMatchObject({ status: "failed", error: { code: "network_unavailable" } });
    const { tiers } = systemRoutes.getDoctor.responses[200].parse(await (await server.fetch("/api/v1/doctor")).json());
    const found = tiers.find(({ tier }) => tier === "gvisor");
    expect(found).toMatchObject({ available: true, walls: ["gvisor (ptrace)", "bubblewrap", "seccomp"] });
    expect(Object.fromEntries(Object.entries(run.limits ?? {}).map(([name, limit]) => [name, limit.enforcedBy]))).toEqual(found?.limits);
  });

  it.runIf(!hasGvisor)("are refused where gVisor is not installed, with how to get it", async () => {
    await using server = await startTestServer();
    const { tiers } = systemRoutes.getDoctor.responses[200].parse(await (await server.fetch("/api/v1/doctor")).json());
    expect(tiers.find(({ tier }) => tier === "gvisor")).toMatchObject({
      available: false,
      reason: expect.stringContaining("apt-get install runsc"),
    });
  });
});
