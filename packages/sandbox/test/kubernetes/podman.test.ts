import { setTimeout as sleep } from "node:timers/promises";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SandboxConnection } from "../../src/connection.ts";
import { containerAgentWords, containerEnforcers, runtimeInImage } from "../../src/container-agent.ts";
import { DiskGuard } from "../../src/disk-guard.ts";
import { readAgentFiles } from "../../src/kubernetes/agent-files.ts";
import { AgentListener } from "../../src/kubernetes/agent-listener.ts";
import { renderAgent, renderPod, renderTokenSecret, tokenFolder, type PodWish } from "../../src/kubernetes/manifest.ts";
import { planRun } from "../../src/plan.ts";
import { runEvents } from "../../src/run-events.ts";
import type { EffectiveLimits, SandboxRun } from "../../src/spec.ts";
import { collect, python, specOf } from "../sandbox-driver.ts";
import { missing, runPodman, sandboxImage } from "./podman.ts";

if (missing !== null) process.stdout.write(`\nno pod is played: ${missing}\n`);

/**
 * The documents that a cluster is given, played by podman in a real container of a real image. One thing is changed: the pod has the host's network, where the
 * listener is.
 */
describe.skipIf(missing !== null)("a pod that podman plays", { timeout: 180_000 }, () => {
  const folder = createTemporaryDirectory();
  const name = `syla-play-${process.pid}`;
  const namespace = "default";
  const agentName = `${name}-agent`;
  const labels = { "syla/sandbox": name };
  let listener: AgentListener;
  beforeAll(async () => {
    listener = await AgentListener.listen({ host: "127.0.0.1", port: 0, tls: null });
  });
  afterAll(async () => {
    await listener?.close();
    folder[Symbol.dispose]();
  });

  it("has its agent connect, runs a program, and is as locked up as it says", async () => {
    const { token, arrived } = listener.expect();
    const runtime = runtimeInImage(python);
    const way = { address: `ws://127.0.0.1:${listener.port}/agent`, token: `${tokenFolder}/token`, authority: null };
    const { files } = readAgentFiles();
    const wish: PodWish = {
      name,
      namespace,
      labels,
      image: sandboxImage,
      user: 123_456,
      command: containerAgentWords(runtime, false, way, "python3"),
      variables: { PATH: "/usr/local/bin:/usr/bin:/bin", LANG: "C.UTF-8" },
      agent: { name: agentName, files: files.map(({ key, path }) => ({ key, path })) },
      limits: { cpus: 1, memoryBytes: 256 << 20, diskBytes: 64 << 20 },
      deadlineSeconds: 120,
      hosts: [],
      settings: { runtimeClass: null, pullSecrets: [], nodeSelector: {}, userNamespaces: false },
    };
    const pod = renderPod(wish);
    const documents = [
      renderAgent(agentName, namespace, labels, files),
      // Podman 4 knows nothing of `stringData`, and writes what is in `data` into files as it is: base64. A token in hexadecimal digits is both.
      { ...renderTokenSecret(wish, null, token, null), stringData: undefined, data: { token } },
      { ...pod, spec: { ...(pod["spec"] as object), hostNetwork: true } },
    ];
    const played = documents.map((document) => JSON.stringify(document)).join("\n---\n");
    try {
      runPodman(folder.path, ["kube", "play", "-"], played);
      const late = sleep(60_000).then(() => {
        throw new Error(`no agent came: ${runPodman(folder.path, ["logs", `${name}-sandbox`])}`);
      });
      const connection = await SandboxConnection.open(await Promise.race([arrived, late]));
      const program = `
import os, sys
fields = dict(line.split(":\\t", 1) for line in open("/proc/self/status").read().splitlines() if ":\\t" in line)
print(os.getuid(), os.getpid() > 1, int(fields["CapBnd"], 16), int(fields["CapEff"], 16), fields["NoNewPrivs"], fields["Seccomp"])
for path in ("/x", "/usr/x", "/agent/x", "/etc/x", "/run/x"):
    try:
        open(path, "w")
        print("wrote", path)
    except OSError as error:
        print(path, error.strerror)
open("/output/made", "w").write(sys.version)
`;
      const spec = specOf(python, program);
      await connection.sendFiles(spec.files);
      await connection.start(planRun({ ...spec, runtime }, containerEnforcers), null);
      const place = {
        connection,
        stats: () => null,
        freeze: () => null,
        release: () => connection.close(),
        end: async () => connection.close(),
      };
      const events = runEvents(place, spec, null, new DiskGuard("/"));
      const run: SandboxRun = {
        tier: "podman",
        limits: {} as EffectiveLimits,
        events,
        connect: () => Promise.reject(new Error("none")),
        network: () => null,
        cancel: () => {},
      };
      const result = await collect(run);
      expect(result.err).toBe("");
      expect(result.out.split("\n")).toEqual([
        "123456 True 0 0 1 2",
        ...["/x", "/usr/x", "/agent/x", "/etc/x"].map((path) => `${path} Read-only file system`),
        expect.stringMatching(/^\/run\/x (?:Read-only file system|Permission denied)$/),
        "",
      ]);
      expect(result.exit).toMatchObject({ exitCode: 0, reason: null });
      expect(result.artifacts.get("made")?.toString()).toMatch(/^3\.11/);
    } finally {
      runPodman(folder.path, ["kube", "down", "-"], played);
      runPodman(folder.path, ["volume", "rm", name, agentName]); // podman keeps what it made of the secret and the config map
      runPodman(folder.path, ["secret", "rm", name]);
    }
  });
});
