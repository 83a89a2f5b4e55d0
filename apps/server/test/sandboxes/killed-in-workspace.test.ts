import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { WorkspaceSandbox } from "@syla/contracts/workspace-sandboxes";
import { prepareCluster } from "@syla/testkit/cluster";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, it } from "vitest";

it(
  "a server that is killed has saved what was changed half a minute before, whole, and the next sandbox has it",
  { timeout: 180_000 },
  async () => {
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    await prepareCluster(dataDir);
    const call = async <T>(url: string, method: string, path: string, body?: object) => {
      const answer = await fetch(`${url}/api/v1${path}`, {
        method,
        headers: { authorization: `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = await answer.text();
      if (!answer.ok) throw new Error(`${answer.status}: ${text}`);
      return (path.includes("/file?") ? text : JSON.parse(text)) as T;
    };
    let [workspaceId, sandboxId] = ["", ""];
    {
      await using first = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
      const url = await first.ready();
      const files = [{ path: "a.txt", content: "before\n" }];
      workspaceId = (await call<{ id: string }>(url, "POST", "/workspaces", { name: "Killed", kind: "session", files })).id;
      const start = async () => (await call<WorkspaceSandbox>(url, "POST", `/workspaces/${workspaceId}/sandbox`, {})).sandbox;
      await expect.poll(async () => (await start())?.status, { timeout: 30_000, interval: 500 }).toBe("running");
      sandboxId = (await start())?.id ?? "";
      const exec = (command: string) => call(url, "POST", `/sandboxes/${sandboxId}/exec`, { command });
      await exec("echo kept > a.txt; echo new > b.txt");
      const read = () => call<string>(url, "GET", `/workspaces/${workspaceId}/file?path=a.txt`);
      await expect.poll(read, { timeout: 60_000, interval: 1000 }).toBe("kept\n");
      await exec("echo lost > a.txt; rm b.txt");
      first.child.kill("SIGKILL");
    }
    await using second = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
    const url = await second.ready();
    const find = async () => (await call<WorkspaceSandbox>(url, "GET", `/workspaces/${workspaceId}/sandbox`)).sandbox;
    expect(await find()).toMatchObject({
      id: sandboxId,
      status: "stopped",
      endReason: "server_restarted",
      saved: { outcome: "merged", changed: 2 },
    });
    const next = (await call<WorkspaceSandbox>(url, "POST", `/workspaces/${workspaceId}/sandbox`, {})).sandbox;
    expect(next?.id).not.toBe(sandboxId);
    await expect.poll(async () => (await find())?.status, { timeout: 30_000, interval: 500 }).toBe("running");
    const { id } = (await find()) as Sandbox;
    expect(await call(url, "POST", `/sandboxes/${id}/exec`, { command: "cat a.txt b.txt" })).toMatchObject({ stdout: "kept\nnew\n" });
  },
);
