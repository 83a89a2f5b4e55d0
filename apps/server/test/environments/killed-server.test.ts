import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Asset } from "@syla/contracts/assets";
import type { ProgramEnvironment } from "@syla/contracts/environments";
import type { Run } from "@syla/contracts/runs";
import { prepareCluster } from "@syla/testkit/cluster";
import { startTestPackageIndex } from "@syla/testkit/package-index";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, test } from "vitest";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
test.skipIf(!existsSync(uv))(
  "a server that is killed in the middle of a build leaves nothing behind; the run that waited goes on when it is back",
  async () => {
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    await prepareCluster(dataDir);
    await using index = await startTestPackageIndex();
    index.publish({ name: "slow", version: "1.0", files: { "slow.py": "TEXT = 'there'\n" } });
    index.behave("slow-1.0-py3-none-any.whl", "stall");
    const variables = { SYLA_LOG_LEVEL: "warn", SYLA_UV: uv, SYLA_PYTHON_INDEX: index.url };
    const call = async <T>(url: string, method: string, path: string, body?: object): Promise<T> => {
      const authorization = `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`;
      const headers = { authorization, ...(body === undefined ? {} : { "content-type": "application/json" }) };
      const answer = await fetch(`${url}/api/v1/${path}`, {
        method,
        headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return (await answer.json()) as T;
    };
    let [program, run]: [string, string] = ["", ""];
    {
      await using first = spawnServer(dataDir, variables);
      const url = await first.ready();
      const config = { runtime: "python", entrypoint: "main.py", dependencies: { source: "requirements", file: "requirements.txt" } };
      const files = [
        { path: "main.py", content: "import slow; print(slow.TEXT)" },
        { path: "requirements.txt", content: "slow\n" },
      ];
      program = (await call<Asset>(url, "POST", "assets", { type: "program", name: "Slow", config, files })).id;
      run = (await call<Run>(url, "POST", "runs", { programId: program })).id;
      const phase = async () => (await call<ProgramEnvironment>(url, "GET", `programs/${program}/environment`)).environment?.phase;
      await expect.poll(phase, { timeout: 30_000 }).toBe("download");
      first.child.kill("SIGKILL");
    }
    index.behave("slow-1.0-py3-none-any.whl", "serve");
    await using second = spawnServer(dataDir, variables);
    const url = await second.ready();
    expect(readdirSync(join(dataDir, "environments/unfinished"))).toEqual([]);
    expect(readdirSync(join(dataDir, "environments/layers"))).toEqual([]);
    const ended = async () => {
      const { status, stdout } = await call<Run>(url, "GET", `runs/${run}`);
      return [status, stdout];
    };
    await expect.poll(ended, { timeout: 60_000 }).toEqual(["succeeded", "there\n"]);
    expect((await call<ProgramEnvironment>(url, "GET", `programs/${program}/environment`)).environment).toMatchObject({
      state: "ready",
      buildCount: 1,
      error: null,
    });
    expect(readdirSync(join(dataDir, "environments/layers"))).toHaveLength(1);
  },
  120_000,
);
