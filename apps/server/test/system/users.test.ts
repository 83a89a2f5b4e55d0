import { chownSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { findProcesses } from "@syla/testkit/processes";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";

// Only root can start a server as somebody else.
describe.runIf(process.getuid?.() === 0)("server of another user", () => {
  it.each([
    ["with a name", 65_534],
    ["without a name", 54_321],
  ])("%s starts and leaves nothing behind when it is killed", async (_which, uid) => {
    using directory = createTemporaryDirectory();
    chownSync(directory.path, uid, uid);
    const dataDir = join(directory.path, "data");
    await using server = spawnServer(dataDir, {}, { uid, gid: uid });
    expect((await fetch(`${await server.ready()}/readyz`)).status).toBe(200);
    server.child.kill("SIGKILL");
    while (findProcesses(dataDir).length > 0) await sleep(20);
  });

  it("without a name and a home says what to set", async () => {
    await using server = spawnServer("", {}, { uid: 54_321, gid: 54_321 });
    expect(await server.exited()).toBe(78);
    expect(server.output()).toMatch(/^syla: config_invalid: This user has no home directory\. Set `SYLA_HOME`/);
  });
});
