import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { isFinal, Run } from "@syla/contracts/runs";
import { prepareCluster } from "@syla/testkit/cluster";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";

describe.skipIf(!existsSync("/usr/bin/gcc"))("a server that is killed while it compiles", () => {
  it("compiles again and runs the program, which had not begun", async () => {
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    const call = async (url: string, path: string, init: RequestInit = {}) => {
      const authorization = `Bearer ${readFileSync(join(dataDir, "cli.key"), "utf8").trim()}`;
      return await fetch(url + path, { ...init, headers: { authorization, "content-type": "application/json" } });
    };
    const until = async (url: string, id: string, wanted: (run: Run) => boolean): Promise<Run> => {
      for (;;) {
        const run = Run.parse(await (await call(url, `/api/v1/runs/${id}`)).json());
        if (wanted(run)) return run;
        await sleep(20);
      }
    };
    // Three hundred thousand numbers: work for seconds.
    const lines = Array.from({ length: 5 }, (_, level) => `#define A${level + 1} ${`A${level} `.repeat(10)}`);
    const code = [
      "#include <stdio.h>",
      "#define A0 1,",
      ...lines,
      "int a[] = { A5 A5 A5 };",
      'int main(void) { puts("ran"); return a[7] - 1; }',
    ].join("\n");
    await prepareCluster(dataDir);
    await using first = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
    const url = await first.ready();
    // Until a server has looked at its queue once, what comes goes there.
    await call(url, "/api/v1/executions?wait=true", { method: "POST", body: JSON.stringify({ language: "bash", code: "echo" }) });
    const answer = await call(url, "/api/v1/executions", { method: "POST", body: JSON.stringify({ language: "c", code }) });
    const { id, status, phase } = Run.parse(await answer.json());
    expect([status, phase]).toEqual(["starting", "compiling"]);
    await until(url, id, (run) => run.phase === "compiling");
    first.child.kill("SIGKILL");
    await first.exited();

    await using second = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
    const run = await until(await second.ready(), id, ({ status: now }) => isFinal(now));
    expect(run).toMatchObject({ status: "succeeded", attempt: 2, stdout: "ran\n", timings: { compileCached: false } });
  });
});
