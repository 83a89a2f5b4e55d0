import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readKubeConfig, readOwnCluster } from "../../src/kubernetes/cluster-access.ts";

const folder = createTemporaryDirectory();
afterAll(() => folder[Symbol.dispose]());
const file = (name: string) => join(folder.path, name);

function write(name: string, config: unknown): string {
  writeFileSync(file(name), typeof config === "string" ? config : JSON.stringify(config)); // JSON is YAML
  return file(name);
}

function configWith(user: unknown, cluster: unknown = {}): unknown {
  return {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    clusters: [{ name: "one", cluster: { server: "https://10.0.0.1:6443/", ...(cluster as object) } }],
    users: [{ name: "me", user }],
    contexts: [{ name: "here", context: { cluster: "one", user: "me", namespace: "default" } }],
  };
}

beforeAll(() => {
  writeFileSync(file("ca.pem"), "CA");
  writeFileSync(file("token"), "from-a-file\n");
  const credential = { apiVersion: "client.authentication.k8s.io/v1", kind: "ExecCredential", status: { token: "made" } };
  writeFileSync(file("helper"), `#!/bin/sh\necho x >> "${file("asked")}"\necho '${JSON.stringify(credential)}'\n`);
  writeFileSync(file("liar"), "#!/bin/sh\necho '{}'\n");
  for (const name of ["helper", "liar"]) chmodSync(file(name), 0o755);
});

describe("a kubeconfig", () => {
  it("says where the cluster is, whom to trust, and who asks", async () => {
    const data = Buffer.from("INLINE").toString("base64");
    const access = readKubeConfig(
      write(
        "a",
        configWith(
          { token: "secret", "client-certificate-data": data, "client-key-data": data },
          { "certificate-authority": "ca.pem", "tls-server-name": "kube" },
        ),
      ),
      null,
    );
    expect(access).toMatchObject({
      server: "https://10.0.0.1:6443",
      authority: "CA",
      serverName: "kube",
      certificate: { cert: "INLINE", key: "INLINE" },
    });
    expect(await access.token()).toBe("secret");
  });

  it("names a file with a token, or a program that makes one and is not asked each time", async () => {
    expect(await readKubeConfig(write("b", configWith({ tokenFile: "token" })), "here").token()).toBe("from-a-file");
    const { token } = readKubeConfig(
      write("c", configWith({ exec: { apiVersion: "client.authentication.k8s.io/v1", command: "./helper" } })),
      null,
    );
    expect([await token(), await token(), await token()]).toEqual(["made", "made", "made"]);
    expect(readFileSync(file("asked"), "utf8")).toBe("x\n");
  });

  it.each([
    ["no file", "missing", null],
    ["no YAML", write("d", "a: [b"), null],
    ["something else", write("e", { clusters: 7 }), null],
    ["a context that is not there", write("f", configWith({})), "elsewhere"],
    ["an address that is none", write("g", configWith({}, { server: "ftp://x" })), null],
    ["a certificate that cannot be read", write("h", configWith({}, { "certificate-authority": "no.pem" })), null],
  ])("that is %s is refused, by its name", (_, path, context) => {
    expect(() => readKubeConfig(path, context)).toThrow(expect.objectContaining({ code: "tier_unavailable" }));
  });

  it("whose program does not say a credential leads nowhere", async () => {
    const { token } = readKubeConfig(write("i", configWith({ exec: { apiVersion: "v1", command: "./liar" } })), null);
    await expect(token()).rejects.toMatchObject({ code: "tier_unavailable" });
  });

  it("is not needed inside of a cluster, and nobody is there outside", async () => {
    expect(readOwnCluster(file("elsewhere"))).toBeNull();
    writeFileSync(file("ca.crt"), "OWN CA");
    const own = readOwnCluster(folder.path);
    expect(own).toMatchObject({ server: "https://kubernetes.default.svc", authority: "OWN CA" });
    expect(await own?.token()).toBe("from-a-file");
  });
});
