import { writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { join } from "node:path";
import { systemRoutes } from "@syla/contracts/system";
import { startTestCluster, type TestCluster } from "@syla/testkit/kubernetes/test-cluster";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = createTemporaryDirectory();
let cluster: TestCluster;
let server: TestServer;

async function freePort(): Promise<number> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  const { port } = listener.address() as AddressInfo;
  await new Promise((resolve) => listener.close(resolve));
  return port;
}

beforeAll(async () => {
  cluster = await startTestCluster();
  const config = {
    clusters: [{ name: "test", cluster: { server: cluster.server } }],
    users: [{ name: "syla", user: { token: cluster.token } }],
    contexts: [{ name: "sandboxes", context: { cluster: "test", user: "syla" } }],
  };
  writeFileSync(join(folder.path, "kubeconfig"), JSON.stringify(config));
  const port = await freePort();
  server = await startTestServer({
    SYLA_KUBERNETES_ALLOWED: "true",
    SYLA_KUBERNETES_CONFIG: join(folder.path, "kubeconfig"),
    SYLA_KUBERNETES_CONTEXT: "sandboxes",
    SYLA_KUBERNETES_NAMESPACE_PREFIX: "runs",
    SYLA_KUBERNETES_IMAGE: "python=registry.example.org/python:3.11",
    SYLA_KUBERNETES_RUNTIME_CLASS: "gvisor",
    SYLA_KUBERNETES_QUOTA: "pods=3,cpus=8,memory=16Gi,disk=64Gi",
    SYLA_KUBERNETES_AGENT_URL: `ws://127.0.0.1:${port}`,
    SYLA_KUBERNETES_AGENT_HOST: "127.0.0.1",
    SYLA_KUBERNETES_AGENT_PORT: String(port),
  });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("runs in pods", { timeout: 60_000 }, () => {
  it("are asked for by each run, recorded with what enforces their limits, and leave nothing", async () => {
    const code = "import socket; print(socket.gethostname()); open('/output/made', 'w').write('x')";
    const run = await execute(server, { language: "python", code, tier: "kubernetes" });
    expect(run.error).toBeNull();
    expect(run).toMatchObject({ status: "succeeded", tier: "kubernetes", exitCode: 0, limits: { memoryBytes: { enforcedBy: "cgroup" } } });
    expect(await (await server.fetch(`/api/v1/runs/${run.id}/log`)).text()).toMatch(/syla-[0-9a-f]{20}/);
    const [namespace] = cluster.store.list("namespaces").map(({ metadata }) => metadata.name);
    expect(namespace).toMatch(/^runs-[0-9a-f]{24}$/);
    expect(cluster.store.list("resourcequotas")[0]?.["spec"].hard.pods).toBe("3");
    await expect.poll(() => cluster.pods(), { timeout: 10_000 }).toEqual([]);
  });

  it("that fail for the cluster's sake are told so, and programs are not blamed", async () => {
    const image = "registry.example.org/python:3.11";
    cluster.kubelet.missingImages.add(image);
    const run = await execute(server, { language: "python", code: "print(1)", tier: "kubernetes" });
    cluster.kubelet.missingImages.delete(image);
    expect(run).toMatchObject({ status: "failed", error: { code: "tier_unavailable" } });
    const none = await execute(server, { language: "bash", code: "true", tier: "kubernetes" });
    expect(none).toMatchObject({ status: "failed", error: { code: "tier_unavailable" } });
    const networked = await execute(server, { language: "python", code: "1", network: "full", tier: "kubernetes" });
    expect(networked).toMatchObject({ status: "failed", error: { code: "network_unavailable" } });
  });

  it("are shown by the doctor", async () => {
    const { tiers } = systemRoutes.getDoctor.responses[200].parse(await (await server.fetch("/api/v1/doctor")).json());
    expect(tiers.find(({ tier }) => tier === "kubernetes")).toMatchObject({
      available: true,
      walls: ["container (gvisor)", "pod security", "network policy", "seccomp"],
    });
  });
});

describe("a server whose settings lack something", { timeout: 60_000 }, () => {
  it.each([
    ["whether pods are allowed", {}, "SYLA_KUBERNETES_ALLOWED=true"],
    ["an image", { SYLA_KUBERNETES_ALLOWED: "true" }, "Set SYLA_KUBERNETES_IMAGE"],
    ["its own address", { SYLA_KUBERNETES_ALLOWED: "true", SYLA_KUBERNETES_IMAGE: "a/b" }, "Set SYLA_KUBERNETES_AGENT_URL"],
    [
      "a certificate",
      { SYLA_KUBERNETES_ALLOWED: "true", SYLA_KUBERNETES_IMAGE: "a/b", SYLA_KUBERNETES_AGENT_URL: "wss://a.example.org:1" },
      "Set SYLA_KUBERNETES_AGENT_CERT",
    ],
    [
      "a cluster",
      {
        SYLA_KUBERNETES_ALLOWED: "true",
        SYLA_KUBERNETES_IMAGE: "a/b",
        SYLA_KUBERNETES_AGENT_URL: "ws://127.0.0.1:1",
        SYLA_KUBERNETES_CONFIG: "/none",
      },
      "/none cannot be read",
    ],
  ])("says so in the doctor's report: %s", async (_, settings, hint) => {
    await using other = await startTestServer(settings);
    const { tiers } = systemRoutes.getDoctor.responses[200].parse(await (await other.fetch("/api/v1/doctor")).json());
    const found = tiers.find(({ tier }) => tier === "kubernetes");
    expect(found?.available).toBe(false);
    expect(found?.reason).toContain(hint);
  });
});
