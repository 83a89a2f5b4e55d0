import { describe, expect, it } from "vitest";
import {
  agentUrl,
  contextName,
  controlPlane,
  imagesByLanguage,
  kubernetesLabels,
  kubernetesNames,
  namespacePrefix,
  podQuota,
} from "../src/kubernetes-values.ts";

describe("settings of the kubernetes tier", () => {
  it("are read", () => {
    expect(imagesByLanguage("a.example.org/b:1")).toEqual(new Map([["*", "a.example.org/b:1"]]));
    expect(imagesByLanguage("python=a/b:1, node@22=c/d,*=e/f")).toEqual(
      new Map(Object.entries({ python: "a/b:1", "node@22": "c/d", "*": "e/f" })),
    );
    expect(podQuota("pods=1,cpus=2.5,memory=3Gi,disk=4Ti")).toEqual({
      pods: 1,
      cpus: 2.5,
      memoryBytes: 3 * 2 ** 30,
      diskBytes: 4 * 2 ** 40,
    });
    expect(agentUrl("wss://syla.example.org:7880/")).toBe("wss://syla.example.org:7880");
    expect(controlPlane("10.0.0.0/8")).toEqual({ cidr: "10.0.0.0/8" });
    expect(controlPlane("fd00::/64")).toEqual({ cidr: "fd00::/64" });
    expect(controlPlane("syla/app=syla,tier=api")).toEqual({ namespace: "syla", labels: { app: "syla", tier: "api" } });
    expect(kubernetesLabels("example.org/kind=sandboxes")).toEqual({ "example.org/kind": "sandboxes" });
    expect(kubernetesNames("a, b-c")).toEqual(["a", "b-c"]);
    expect(contextName("arn:aws:eks:eu-1:1:cluster/x")).toBe("arn:aws:eks:eu-1:1:cluster/x");
    expect(namespacePrefix("syla")).toBe("syla");
  });

  it.each([
    [imagesByLanguage, ["", "A B", "python=", "python=a,python=b", "Py thon=a", "=a", "a,b"]],
    [
      podQuota,
      [
        "",
        "pods=1",
        "pods=1,cpus=1,memory=1,disk=1,more=1",
        "pods=-1,cpus=1,memory=1,disk=1",
        "pods=1,cpus=1,memory=1G,disk=1",
        "pods=1,cpus=1,memory=999999999999Ti,disk=1",
        "pods=1,pods=1,cpus=1,memory=1,disk=x",
      ],
    ],
    [agentUrl, ["", "https://a", "wss://", "wss://a/b", "wss://u:p@a", "wss://a?b", "a:1"]],
    [controlPlane, ["", "10.0.0.0", "10.0.0.0/33", "10.0.0.0/x", "fd00::/129", "syla", "Syla/a=b", "syla/a b=c"]],
    [kubernetesLabels, ["", "a b=c", "a=b c", "=a"]],
    [kubernetesNames, ["", "A", "a,,b", "a_b"]],
    [contextName, ["", "a b", "x".repeat(300)]],
    [namespacePrefix, ["", "A", "x".repeat(60), "-a", "a.b"]],
  ] as const)("are refused when they cannot be what they say: %o", (parse, texts) => {
    for (const text of texts) expect([text, () => parse(text)]).toEqual([text, expect.toSatisfy((act: () => unknown) => throws(act))]);
  });
});

function throws(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}
