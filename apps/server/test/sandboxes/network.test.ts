import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { SandboxNetwork } from "@syla/contracts/network";
import type { SandboxExecResult } from "@syla/contracts/sandboxes/processes";
import { createPerson } from "@syla/testkit/runs";
import { createSandbox } from "@syla/testkit/sandboxes";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Not 127.0.0.1, which programs take for themselves (NO_PROXY).
const address = "127.0.0.2";
let server: TestServer;
let outside: Server;
let port: number;
let ann: { authorization: string };
let bob: { authorization: string };
beforeAll(async () => {
  outside = createServer((_request, response) => response.end("from outside")).listen(0, address);
  await once(outside, "listening");
  ({ port } = outside.address() as AddressInfo);
  server = await startTestServer({ SYLA_NETWORK_ALLOW_PRIVATE: `${address}:${port}` });
  ann = await createPerson(server);
  bob = await createPerson(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  outside.close();
});

async function fetchIn(id: string, ...urls: string[]): Promise<string> {
  const code = `
import urllib.error, urllib.request
for url in ${JSON.stringify(urls)}:
    try: print(urllib.request.urlopen(url).read().decode())
    except urllib.error.HTTPError as error: print(error.code)
    except OSError: print("unreachable")`;
  const answer = await server.send("POST", `/api/v1/sandboxes/${id}/exec`, { command: ["python3", "-c", code] }, ann);
  return ((await answer.json()) as SandboxExecResult).stdout;
}
const networkOf = async (id: string) =>
  SandboxNetwork.parse(await (await server.fetch(`/api/v1/sandboxes/${id}/network`, { headers: ann })).json());

describe("the network of a long-lived sandbox", () => {
  it("reaches what is on its list and tells what it did, while it lives", async () => {
    const policy = { allow: [`${address}:${port}`, "bücher.example"] };
    const known = { allow: [`${address}:${port}`, "xn--bcher-kva.example"] };
    const sandbox = await createSandbox(server, { network: policy }, ann);
    expect(sandbox.network).toEqual(known);
    const url = `http://${address}:${port}/`;
    expect(await fetchIn(sandbox.id, url, "http://other.example/", "http://169.254.169.254/latest/meta-data/")).toBe(
      "from outside\n403\n403\n",
    );
    const told = await networkOf(sandbox.id);
    expect(told).toMatchObject({ policy: known, usage: { connections: 3, refused: 2 }, omitted: 0 });
    expect(told.connections.map(({ host, outcome }) => [host, outcome])).toEqual([
      [address, "completed"],
      ["other.example", "refused"],
      ["169.254.169.254", "refused"],
    ]);
    await server.send("POST", `/api/v1/sandboxes/${sandbox.id}/pause`, undefined, ann);
    expect(await networkOf(sandbox.id)).toEqual(told);
  });

  it("is none unless one was asked for", async () => {
    const { id } = await createSandbox(server, {}, ann);
    expect(await fetchIn(id, `http://${address}:${port}/`)).toBe("unreachable\n");
    expect(await networkOf(id)).toEqual({ policy: "none", usage: null, connections: [], omitted: 0 });
  });

  it("is refused to those who may not have it, and a bad one is located", async () => {
    const refuse = async (network: unknown) => await (await server.send("POST", "/api/v1/sandboxes", { network }, ann)).json();
    expect(await refuse("full")).toMatchObject({ code: "forbidden", fields: [{ path: "network" }] });
    expect(await refuse("gateway")).toMatchObject({ code: "network_unavailable", fields: [{ path: "network" }] });
    expect(await refuse({ allow: ["0x7f.1"] })).toMatchObject({ code: "invalid_request" });
    expect((await createSandbox(server, { network: "full" })).network).toBe("full");
  });

  it("is nobody else's to see", async () => {
    const { id } = await createSandbox(server, {}, ann);
    expect((await server.fetch(`/api/v1/sandboxes/${id}/network`, { headers: bob })).status).toBe(404);
    await server.send("DELETE", `/api/v1/sandboxes/${id}`, undefined, ann);
    const ended = await server.fetch(`/api/v1/sandboxes/${id}/network`, { headers: ann });
    expect([ended.status, await ended.json()]).toMatchObject([409, { code: "sandbox_ended" }]);
  });
});
