import { describe, expect, it } from "vitest";
import {
  renderAgent,
  renderJob,
  renderNamespace,
  renderNetworkPolicy,
  renderPod,
  renderQuota,
  renderTokenSecret,
  type Manifest,
  type PodWish,
} from "../../src/kubernetes/manifest.ts";
import { containerVariables, namespaceOf, requireImage, requireLabels, requireName } from "../../src/kubernetes/names.ts";
import { checkManifest } from "./check-manifest.ts";

const labels = { "app.kubernetes.io/managed-by": "syla", "syla/sandbox": "syla-1" };
const wish: PodWish = {
  name: "syla-1",
  namespace: "syla-tenant",
  labels,
  image: "registry.example.org:5000/syla/python:3.11@sha256:" + "0".repeat(64),
  user: 123_456,
  command: ["python3", "/agent/pod.py", '{"a":"$(HOME)"}'],
  variables: { PATH: "/usr/bin:/bin", LANG: "C.UTF-8" },
  agent: {
    name: "syla-agent-1",
    files: [
      { key: "pod.py", path: "pod.py" },
      { key: "contexts__context.py", path: "contexts/context.py" },
    ],
  },
  limits: { cpus: 0.5, memoryBytes: 512 << 20, diskBytes: 1 << 30 },
  deadlineSeconds: 900,
  hosts: [{ ip: "10.0.0.7", name: "syla.example.org" }],
  settings: { runtimeClass: "gvisor", pullSecrets: ["registry"], nodeSelector: { "example.org/sandboxes": "yes" }, userNamespaces: true },
};
const owner = { apiVersion: "v1", kind: "Pod", name: "syla-1", uid: "8f4f6c2e-0000-4000-8000-000000000000" };

const documents: Readonly<Record<string, Manifest>> = {
  pod: renderPod(wish),
  "plain pod": renderPod({
    ...wish,
    hosts: [],
    settings: { runtimeClass: null, pullSecrets: [], nodeSelector: {}, userNamespaces: false },
  }),
  job: renderJob(wish),
  secret: renderTokenSecret(wish, owner, "token", "-----BEGIN CERTIFICATE-----"),
  agent: renderAgent("syla-agent-1", "syla-tenant", labels, [{ key: "pod.py", path: "pod.py", content: "print(1)\n" }]),
  namespace: renderNamespace("syla-tenant", labels),
  quota: renderQuota("syla-tenant", labels, { pods: 10, cpus: 4, memoryBytes: 8 << 29, diskBytes: 8 << 29 }),
  "policy for addresses": renderNetworkPolicy("syla-tenant", labels, { cidr: "10.0.0.7/32", port: 4434 }),
  "policy for pods": renderNetworkPolicy("syla-tenant", labels, { namespace: "syla", labels: { app: "syla" }, port: 4434 }),
};

describe("what a cluster is asked for", () => {
  it.each(Object.entries(documents))("is a %s as it was looked at", async (name, document) => {
    await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot(`golden/${name.replaceAll(" ", "-")}.json`);
  });

  it.each(Object.entries(documents))("is a %s of the shape that Kubernetes publishes", (_, document) => {
    expect(checkManifest(document)).toEqual([]);
  });

  it("would be found out if it were not", () => {
    expect(checkManifest({ ...renderPod(wish), spec: { containers: "none" } })).not.toEqual([]);
  });

  it("leaves a word as it is that a cluster would replace", () => {
    const { containers } = renderPod(wish)["spec"] as { containers: { command: string[] }[] };
    expect(containers[0]?.command[2]).toBe('{"a":"$$(HOME)"}');
    expect(containerVariables({ A: "$(B)$(C)" })).toEqual([{ name: "A", value: "$$(B)$$(C)" }]);
  });
});

describe("a name that no cluster has", () => {
  it.each(["", "A", "a_b", "-a", "a-", "a.b", "a/b", "ä", "a\nb", "x".repeat(64), "../x", "a b", "$(x)"])("is refused: %j", (name) => {
    expect(() => requireName("a name", name)).toThrow(/cannot be/);
    expect(() => renderPod({ ...wish, name })).toThrow(/cannot be/);
    expect(() => renderPod({ ...wish, settings: { ...wish.settings, runtimeClass: name } })).toThrow(/cannot be/);
  });

  it.each(["", "UPPER/x", "a b", "-a", "host:port:1/a", "a@sha256:1", "a:", "x".repeat(600), "a\nb", "a;b"])(
    "is refused of an image: %j",
    (image) => {
      expect(() => requireImage(image)).toThrow(/cannot be/);
    },
  );

  it.each(["python", "syla/python:3.11", "localhost:5000/a/b", "a.b.c/d_e-f@sha256:" + "a".repeat(64), "localhost/syla-python"])(
    "is none: %s",
    (image) => {
      expect(requireImage(image)).toBe(image);
    },
  );

  it.each([
    { "a b": "c" },
    { a: "b c" },
    { a: "x".repeat(64) },
    { "a/b/c": "d" },
    { "/a": "b" },
    { "UPPER/a": "b" },
    { "": "a" },
    { a: "-b" },
  ])("is refused of a label: %j", (wrong) => {
    expect(() => requireLabels(wrong as Record<string, string>)).toThrow(/cannot be/);
  });

  it.each([{ "A=B": "c" }, { "": "c" }, { "A B": "c" }, { "1A": "b" }, { A: "b\0c" }])("is refused of a variable: %j", (wrong) => {
    expect(() => containerVariables(wrong as Record<string, string>)).toThrow(/cannot be/);
  });

  it("is made of whatever a tenant is called", () => {
    const names = ["", "../..", "kube-system", "a\0b", "ä".repeat(1000), "team:1"].map((tenant) => namespaceOf("syla", tenant));
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^syla-[0-9a-f]{24}$/);
    expect(() => namespaceOf("Syla", "a")).toThrow(/cannot be/);
    expect(() => namespaceOf("x".repeat(60), "a")).toThrow(/cannot be/);
  });

  it("and what is no address is refused", () => {
    expect(() => renderPod({ ...wish, hosts: [{ ip: "syla", name: "x" }] })).toThrow(RangeError);
  });
});
