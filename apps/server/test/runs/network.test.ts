import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { RunNetwork } from "@syla/contracts/network";
import type { RunInputDraft } from "@syla/contracts/runs";
import { createPerson, execute, getRun, waitForRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Not 127.0.0.1, which programs take for themselves (NO_PROXY).
const address = "127.0.0.2";
let server: TestServer;
let outside: Server;
let port: number;
beforeAll(async () => {
  outside = createServer((_request, response) => response.end("from outside")).listen(0, address);
  await once(outside, "listening");
  ({ port } = outside.address() as AddressInfo);
  server = await startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: `${address}:${port}, 10.99.0.0/16:1` });
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  outside.close();
});

const fetching = (...urls: string[]) => `
import urllib.error, urllib.request
for url in ${JSON.stringify(urls)}:
    try: print(urllib.request.urlopen(url).read().decode())
    except urllib.error.HTTPError as error: print(error.code)`;
const wish = (network: RunInputDraft["network"], ...urls: string[]): RunInputDraft => ({
  language: "python",
  code: fetching(...urls),
  ...(network !== undefined && { network }),
});

async function networkOf(id: string): Promise<RunNetwork> {
  const response = await server.fetch(`/api/v1/runs/${id}/network`);
  expect(response.status).toBe(200);
  return RunNetwork.parse(await response.json());
}

async function refuse(input: unknown, headers: Record<string, string> = {}): Promise<unknown> {
  return await (await server.send("POST", "/api/v1/executions", input, headers)).json();
}

describe("a run with a network", () => {
  it("reaches what is on its list, and its record says what it did", async () => {
    const url = `http://${address}:${port}/`;
    const run = await execute(server, wish({ allow: [`${address}:${port}`, "BÜCHER.example."] }, url, "http://other.example/", url));
    const policy = { allow: [`${address}:${port}`, "xn--bcher-kva.example"] };
    expect(run).toMatchObject({ status: "succeeded", stdout: "from outside\n403\nfrom outside\n", network: policy });
    expect(run.usage?.network).toEqual({
      policy,
      sentBytes: expect.any(Number) as number,
      receivedBytes: expect.any(Number) as number,
      connections: 3,
      refused: 1,
    });
    const { connections, ...rest } = await networkOf(run.id);
    expect(rest).toEqual({ policy, usage: run.usage?.network, omitted: 0 });
    expect(connections.map(({ host, port: on, outcome, reason }) => [host, on, outcome, reason])).toEqual([
      [address, port, "completed", null],
      ["other.example", 80, "refused", "it is not on the run's allow list"],
      [address, port, "completed", null],
    ]);
    expect(connections[0]).toMatchObject({ address, startedAt: expect.stringMatching(/^\d{4}-.*Z$/) as string });
    const sum = connections.reduce((bytes, connection) => bytes + connection.receivedBytes, 0);
    expect(sum).toBe(run.usage?.network?.receivedBytes);
    expect(sum).toBeGreaterThan(2 * "from outside".length);
  });

  it("is the same when it waited in the queue, and when it is run again", async () => {
    const url = `http://${address}:${port}/`;
    const queued = (await (await server.send("POST", "/api/v1/runs", wish({ allow: [`${address}:${port}`] }, url))).json()) as {
      id: string;
    };
    expect((await waitForRun(server, queued.id)).usage?.network).toMatchObject({ connections: 1, refused: 0 });
    const again = (await (await server.send("POST", `/api/v1/runs/${queued.id}/rerun`)).json()) as { id: string };
    expect(await waitForRun(server, again.id)).toMatchObject({
      stdout: "from outside\n",
      network: { allow: [`${address}:${port}`] },
      usage: { network: { connections: 1 } },
    });
    expect((await networkOf(again.id)).connections).toHaveLength(1);
  });

  it("shows its connections to nobody else", async () => {
    const run = await execute(server, wish({ allow: [`${address}:${port}`] }, `http://${address}:${port}/`));
    const path = `/api/v1/runs/${run.id}/network`;
    expect((await server.fetch(path, { headers: await createPerson(server) })).status).toBe(404);
    expect((await server.fetch(path, { headers: { authorization: "" } })).status).toBe(401);
    expect((await server.fetch(path, { headers: await createPerson(server, "admin") })).status).toBe(200);
    expect((await server.fetch("/api/v1/runs/run_00000000000000000000000000/network")).status).toBe(404);
  });

  it("cannot get at this server, whatever it may reach", async () => {
    const { hostname, port: own } = new URL(server.url);
    const code = `import socket
for host in ("${hostname}", "localhost", "127.0.0.1"):
    sock = socket.create_connection(("127.0.0.1", 3128))
    sock.sendall(f"CONNECT {host}:${own} HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n".encode())
    print(sock.recv(12).decode())`;
    const run = await execute(server, { language: "python", code, network: "full" });
    expect(run.stdout).toBe("HTTP/1.1 403\n".repeat(3));
    expect(run.usage?.network).toMatchObject({ connections: 3, refused: 3 });
  });
});

it("a run without a network has nothing to show", async () => {
  const run = await execute(server, wish(undefined));
  expect(run).toMatchObject({ network: "none", usage: { network: null } });
  expect(await networkOf(run.id)).toEqual({ policy: "none", usage: null, connections: [], omitted: 0 });
});

describe("who may have which network", () => {
  it("the whole of it is for administrators, also when a run is repeated", async () => {
    const person = await createPerson(server);
    expect(await refuse(wish("full"), person)).toMatchObject({
      status: 403,
      code: "forbidden",
      detail: "Only administrators may run with the whole network.",
      fields: [{ path: "network" }],
    });
    expect(await (await server.fetch("/api/v1/runs", { headers: person })).json()).toMatchObject({ items: [] });
    const admin = await createPerson(server, "admin");
    const url = `http://${address}:${port}/`;
    const run = await execute(server, wish("full", url), admin);
    expect(run).toMatchObject({ status: "succeeded", stdout: "from outside\n", network: "full" });
    await server.context.database.queries.updateTable("users").set({ role: "developer" }).where("id", "=", run.ownerId).execute();
    const { key } = await server.context.accounts.createApiKey(
      { userId: run.ownerId, role: "developer", via: "local" },
      { name: "after", expiresInDays: undefined },
    );
    const again = await server.send("POST", `/api/v1/runs/${run.id}/rerun`, undefined, { authorization: `Bearer ${key}` });
    expect(again.status).toBe(403);
    expect((await getRun(server, run.id)).status).toBe("succeeded");
  });

  it("the model gateway is for runs that name their models, and that is said", async () => {
    expect(await refuse(wish("gateway"))).toMatchObject({
      status: 400,
      code: "network_unavailable",
      detail: "The model gateway is reached by runs that name their models.",
    });
  });

  it.each(["some", 5, { allow: Array.from({ length: 101 }, () => "a.org") }])(
    "%j is no policy, and it is said what is one",
    async (network) => {
      const message = 'must be "none", "gateway", "full" or {"allow": […]} with 1 to 100 hosts';
      const problem = await refuse({ language: "python", code: "1", network });
      expect(problem).toMatchObject({ status: 400, code: "invalid_request", fields: [{ path: "network", message }] });
    },
  );

  it.each([
    "https://example.org",
    "exa mple.org",
    "*",
    "a.*.org",
    "127.1",
    "0x7f.0.0.1",
    "fe80::1%eth0",
    "u@example.org",
    "example.org:0",
    "",
  ])("%j is no host", async (entry) => {
    const problem = await refuse(wish({ allow: ["example.org", entry] }));
    expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
    expect(problem).toMatchObject({ fields: [{ path: "network.allow.1" }] });
  });
});

it("a setting that is no network stops the server from starting", async () => {
  await expect(startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: "10.0.0.0/8,everything" })).rejects.toMatchObject({
    code: "config_invalid",
    message: expect.stringContaining("SYLA_NETWORK_ALLOW_PRIVATE") as string,
  });
});
