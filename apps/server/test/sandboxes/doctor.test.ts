import { systemRoutes } from "@syla/contracts/system";
import { createPerson, execute } from "@syla/testkit/runs";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startTestServer } from "@syla/testkit/server";
import { describe, expect, it } from "vitest";
import { findProgram } from "../../src/sandboxes/programs.ts";

const Report = systemRoutes.getDoctor.responses[200];

describe("the doctor's report", () => {
  it("says what works here, and what to do about each gap", async () => {
    using folder = createTemporaryDirectory();
    await using server = await startTestServer({ SYLA_RUNTIMES_DIR: folder.path });
    const { checks, tiers } = Report.parse(await (await server.fetch("/api/v1/doctor")).json());
    expect(checks.map((check) => check.name)).toEqual([
      "bubblewrap",
      "python3",
      "user namespaces",
      "namespaces inside bubblewrap",
      "files of sandboxes",
      "control groups",
      "processes",
      "open files",
      "disk",
      "virtual machines",
      "packages of Python",
      "environment images",
    ]);
    for (const { name, status, fix } of checks) expect([name, fix === null]).toEqual([name, status === "ok"]);
    const namespace = tiers.find((tier) => tier.tier === "namespace");
    expect(namespace).toMatchObject({ available: true, reason: null, walls: ["bubblewrap", "namespaces", "seccomp"] });
    for (const name of ["microvm", "kubernetes"]) {
      const tier = tiers.find((other) => other.tier === name);
      expect(tier).toMatchObject({ available: false, walls: [], limits: {} });
      expect(tier?.reason).not.toBe("");
    }
    // What is promised is what a run gets.
    const run = await execute(server, { language: "bash", code: "true" });
    expect(Object.fromEntries(Object.entries(run.limits ?? {}).map(([name, limit]) => [name, limit.enforcedBy]))).toEqual(
      namespace?.limits,
    );
  });

  it("is for those who run the server or develop on it", async () => {
    await using server = await startTestServer();
    const status = async (headers: Record<string, string>) => (await server.fetch("/api/v1/doctor", { headers })).status;
    expect(await status(await createPerson(server, "developer"))).toBe(200);
    expect(await status(await createPerson(server, "admin"))).toBe(200);
    expect(await status(await createPerson(server, "end_user"))).toBe(403);
    expect(await status({ authorization: "" })).toBe(401);
  });
});

describe("findProgram", () => {
  it("finds what can be executed and nothing else", () => {
    expect(findProgram("sh")).toMatch(/\/sh$/);
    expect(findProgram("no-such-program")).toBeNull();
    expect(findProgram("../../etc/passwd")).toBeNull();
  });
});
