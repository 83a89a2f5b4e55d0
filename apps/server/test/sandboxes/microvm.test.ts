import { once } from "node:events";
import { symlinkSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { release } from "node:os";
import { join } from "node:path";
import { runtimeRoutes } from "@syla/contracts/runtimes";
import type { Sandbox } from "@syla/contracts/sandboxes";
import type { SandboxContextEvent } from "@syla/contracts/sandboxes/contexts";
import type { SandboxExecResult } from "@syla/contracts/sandboxes/processes";
import { systemRoutes } from "@syla/contracts/system";
import { findTestGuest } from "@syla/testkit/guest";
import { execute } from "@syla/testkit/runs";
import { createSandbox, readEvents, waitForPort } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import Client from "ws";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const { folder, image, reason } = findTestGuest();
if (image === null) process.stdout.write(`\nno machine is booted: ${reason}\n`);
const runtimes = createTemporaryDirectory();
afterAll(() => runtimes[Symbol.dispose]());
const address = "127.0.0.2";

describe.skipIf(image === null)("runs in virtual machines", () => {
  let server: TestServer;
  let outside: Server;
  let port: number;
  beforeAll(async () => {
    outside = createServer((_request, response) => void response.end("from outside")).listen(0, address);
    await once(outside, "listening");
    ({ port } = outside.address() as AddressInfo);
    symlinkSync(folder, join(runtimes.path, "guest"));
    server = await startTestServer({
      SYLA_RUNTIMES_DIR: runtimes.path,
      SYLA_MICROVM_ACCELERATOR: "tcg",
      SYLA_MICROVM_WARM: "0",
      SYLA_NETWORK_ALLOW_PRIVATE: `${address}:${port}`,
    });
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    outside.close();
  });
  const json = async <T>(response: Response | Promise<Response>) => (await (await response).json()) as T;
  const fetching = () => `
import urllib.error, urllib.request
for url in ("http://${address}:${port}/", "http://other.example/"):
    try: print(urllib.request.urlopen(url).read().decode())
    except urllib.error.HTTPError as error: print(error.code)`;

  it("are asked for by each run, and recorded with what enforces their limits and what held them", async () => {
    const code = "import os; print(os.uname().release); open('/output/made', 'w').write('x')";
    const run = await execute(server, { language: "python", code, tier: "microvm" });
    expect(run).toMatchObject({ status: "succeeded", tier: "microvm", exitCode: 0, limits: { memoryBytes: { enforcedBy: "cgroup" } } });
    expect(run.walls).toEqual(["qemu (emulated)", "bubblewrap", "guest kernel", "namespaces", "seccomp"]);
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
    expect(run.walls[0]).toBe("qemu (emulated)");
  });

  it("reach what their policy allows, and what they did is counted", async () => {
    const network = { allow: [`${address}:${port}`] };
    const run = await execute(server, { language: "python", code: fetching(), network, tier: "microvm" });
    expect([run.stdout, run.usage?.network]).toMatchObject(["from outside\n403\n", { connections: 2, refused: 1 }]);
  });

  it("are long-lived sandboxes as well: files, programs, a terminal, contexts, ports, and a pause", async () => {
    const sandbox = await createSandbox(server, {
      tier: "microvm",
      files: [{ path: "a/hello.txt", content: "hello" }],
      network: { allow: [`${address}:${port}`] },
    });
    expect(sandbox).toMatchObject({ tier: "microvm", status: "running" });
    const base = `/api/v1/sandboxes/${sandbox.id}`;
    const send = (method: string, path: string, body?: unknown) => server.send(method, base + path, body);
    const exec = async (command: unknown) => (await json<SandboxExecResult>(send("POST", "/exec", { command }))).stdout;
    expect(await exec("uname -r; cat a/hello.txt")).toBe(`${image?.kernel}\nhello`);
    expect(await exec(["python3", "-c", fetching()])).toBe("from outside\n403\n");

    const content = await server.fetch(`${base}/file/content?path=a/hello.txt`);
    expect(await content.text()).toBe("hello");
    const context = await json<{ id: string }>(send("POST", "/contexts", {}));
    const evaluate = async (code: string) =>
      await readEvents<SandboxContextEvent>(await send("POST", `/contexts/${context.id}/run`, { code }));
    await evaluate("x = 40");
    expect(await evaluate("x + 2")).toContainEqual(expect.objectContaining({ type: "result" }));

    const { pid } = await json<{ pid: number }>(
      send("POST", "/processes", { command: ["/bin/bash", "--norc"], terminal: { columns: 80, rows: 24 } }),
    );
    let seen = "";
    const terminal = new Client(`${server.url.replace("http", "ws")}${base}/processes/${pid}/terminal`, {
      headers: { authorization: `Bearer ${server.localKey}` },
    });
    terminal.on("message", (data: Buffer) => void (seen += data.toString()));
    await once(terminal, "open");
    terminal.send(Buffer.from("echo mark$((40+2))\n"));
    await expect.poll(() => seen, { timeout: 20_000 }).toContain("mark42");
    terminal.close();

    const listener = "import http.server; http.server.test(port=7000, bind='127.0.0.1')";
    await send("POST", "/processes", { command: ["python3", "-c", listener] });
    await waitForPort(server, sandbox.id, 7000);

    expect(await json<Sandbox>(send("POST", "/pause"))).toMatchObject({ status: "paused", pausedBy: "machine" });
    expect(await json<Sandbox>(send("POST", "/resume"))).toMatchObject({ status: "running" });
    expect(await exec("cat a/hello.txt")).toBe("hello");
    expect((await send("DELETE", "")).status).toBe(204);
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

  it("are what everything is run in, where administrators ask for it", async () => {
    const change = async (value: string) => await server.send("PATCH", "/api/v1/admin/settings", { values: { leastTier: value } });
    expect((await change("microvm")).status).toBe(200);
    expect((await execute(server, { language: "python", code: "print(1)" })).tier).toBe("microvm");
    await change("");
    expect((await execute(server, { language: "python", code: "print(1)" })).tier).toBe("namespace");
  });
});
