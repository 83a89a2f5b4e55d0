import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Sandbox } from "@syla/contracts/sandboxes";
import { prepareCluster } from "@syla/testkit/cluster";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, it } from "vitest";

/** Seconds that no other test sleeps. */
const marker = `613.${process.pid}`;

function countSleepers(): number {
  return readdirSync("/proc").filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8") === `sleep\0${marker}\0`;
    } catch {
      return false;
    }
  }).length;
}

it("a server that is killed takes its sandboxes with it, paused ones too, and says so when it is back", async () => {
  using directory = createTemporaryDirectory();
  const dataDir = join(directory.path, "data");
  await prepareCluster(dataDir);
  const call = async (url: string, method: string, path: string, body?: object) =>
    await fetch(url + path, {
      method,
      headers: { authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const ids: string[] = [];
  {
    await using first = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
    const url = await first.ready();
    for (const paused of [false, true]) {
      const { id } = Sandbox.parse(await (await call(url, "POST", "/api/v1/sandboxes", {})).json());
      ids.push(id);
      await call(url, "POST", `/api/v1/sandboxes/${id}/processes`, { command: ["sleep", marker] });
      if (paused) await call(url, "POST", `/api/v1/sandboxes/${id}/pause`);
    }
    await expect.poll(countSleepers).toBe(2);
    const states = ids.map(async (id) => Sandbox.parse(await (await call(url, "GET", `/api/v1/sandboxes/${id}`)).json()).status);
    expect(await Promise.all(states)).toEqual(["running", "paused"]);
    first.child.kill("SIGKILL");
  }
  await expect.poll(countSleepers, { timeout: 20_000 }).toBe(0);
  await using second = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
  const url = await second.ready();
  for (const id of ids) {
    const sandbox = Sandbox.parse(await (await call(url, "GET", `/api/v1/sandboxes/${id}`)).json());
    expect(sandbox).toMatchObject({ status: "stopped", endReason: "server_restarted", pausedBy: null });
  }
});
