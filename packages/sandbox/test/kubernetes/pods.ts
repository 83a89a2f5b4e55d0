import { startTestCluster, type TestCluster } from "@syla/testkit/kubernetes/test-cluster";
import { createServer, type AddressInfo } from "node:net";
import { KubernetesTier, type KubernetesTierOptions } from "../../src/kubernetes/kubernetes-tier.ts";

export interface TestPods extends AsyncDisposable {
  readonly cluster: TestCluster;
  readonly tier: KubernetesTier;
}

export const gibibyte: number = 1 << 30;

/** The tier's options for a cluster of the tests. */
export function optionsFor(cluster: TestCluster, port: number, wish: Partial<KubernetesTierOptions> = {}): KubernetesTierOptions {
  return {
    access: { server: cluster.server, authority: null, serverName: null, certificate: null, token: async () => cluster.token },
    server: "test",
    namespacePrefix: "syla",
    images: new Map([["*", "registry.example.org/syla/python:3.11"]]),
    pods: { runtimeClass: null, pullSecrets: [], nodeSelector: {}, userNamespaces: false },
    quota: { pods: 20, cpus: 100, memoryBytes: 100 * gibibyte, diskBytes: 100 * gibibyte },
    controlPlane: { cidr: "127.0.0.1/32", port },
    listener: { host: "127.0.0.1", port, tls: null },
    address: `ws://127.0.0.1:${port}`,
    authority: null,
    warmPods: 0,
    bootMs: 30_000,
    ...wish,
  };
}

/** A cluster and a tier that has its pods there. Dispose it: ends everything. */
export async function createPods(wish: Partial<KubernetesTierOptions> = {}): Promise<TestPods> {
  const cluster = await startTestCluster();
  const tier = new KubernetesTier(optionsFor(cluster, await freePort(), wish));
  const dispose = async () => {
    await tier.stop();
    await cluster[Symbol.asyncDispose]();
  };
  return { cluster, tier, [Symbol.asyncDispose]: dispose };
}

/** The address of the listener is in each manifest, so it has to be known ahead. */
export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
