import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { Run, type Artifact, type RunSummary } from "@syla/contracts/runs";
import { spawnServer } from "@syla/testkit/server-process";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";

const fixtures = join(import.meta.dirname, "../fixtures");
const person = { email: "admin@example.com", password: "correct horse battery" };
const fixtureKey = "syla_qdQYZGzkrOTuZtwhzvOjHzWplIVXqKIgoeaZollRcXBKhZto";

/** Unpacks a data directory that an earlier version made. Everything in it belongs to whoever runs the test. */
function unpack(name: string, folder: string): void {
  mkdirSync(folder, { mode: 0o700 });
  const archive = zstdDecompressSync(readFileSync(join(fixtures, name)));
  execFileSync("tar", ["-x", "--no-same-owner", "-C", folder], { input: archive });
}

describe("a data directory of version 0.1.0", () => {
  it("is opened with all that is in it, and works on", async () => {
    using directory = createTemporaryDirectory();
    const dataDir = join(directory.path, "data");
    unpack("data-directory-0.1.0.tar.zst", dataDir);
    await using server = spawnServer(dataDir, { SYLA_LOG_LEVEL: "warn" });
    const url = await server.ready();
    const withKey = { authorization: `Bearer ${fixtureKey}` };
    const call = async (path: string, headers: Record<string, string> = withKey) => await fetch(url + path, { headers });

    const signedIn = await fetch(`${url}/api/v1/sessions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(person),
    });
    expect(signedIn.status).toBe(201);
    const cookie = signedIn.headers
      .getSetCookie()
      .map((text) => text.split(";", 1)[0])
      .join("; ");
    const me = await (await call("/api/v1/users/me", { cookie })).json();
    expect(me).toMatchObject({ email: person.email, role: "admin" });
    expect(await (await call("/api/v1/users/me")).json()).toEqual(me);
    const localKey = readFileSync(join(dataDir, "cli.key"), "utf8").trim();
    expect(await (await call("/api/v1/users/me", { authorization: `Bearer ${localKey}` })).json()).toEqual(me);
    const keys = (await (await call("/api/v1/api-keys")).json()) as { items: { name: string }[] };
    expect(keys.items.map((key) => key.name)).toContain("fixture");

    const { items } = (await (await call("/api/v1/runs?limit=200")).json()) as { items: RunSummary[] };
    expect(items.length).toBeGreaterThan(0);
    const artifacts: Artifact[] = [];
    for (const { id, status } of items) {
      const run = Run.parse(await (await call(`/api/v1/runs/${id}`)).json());
      expect(run.status).toBe(status);
      const log = await (await call(`/api/v1/runs/${id}/log?stream=stdout`)).text();
      expect(log.startsWith(run.stdout)).toBe(true);
      const events = await (await call(`/api/v1/runs/${id}/events`)).text();
      expect(events).toMatch(/event: end\ndata: .*\n\n$/);
      const listed = ((await (await call(`/api/v1/runs/${id}/artifacts`)).json()) as { items: Artifact[] }).items;
      expect(listed).toHaveLength(run.artifactCount);
      for (const artifact of listed) {
        const content = await (await call(`/api/v1/runs/${id}/artifacts/${artifact.id}`)).arrayBuffer();
        expect(content.byteLength).toBe(artifact.size);
      }
      artifacts.push(...listed);
    }
    expect(artifacts.map((artifact) => artifact.path)).toContain("a.csv");
    expect(items.some((run) => run.status === "succeeded")).toBe(true);

    const rerun = await fetch(`${url}/api/v1/executions?wait=true`, {
      method: "POST",
      headers: { ...withKey, "content-type": "application/json" },
      body: JSON.stringify({ language: "python", code: "print('new')" }),
    });
    expect(Run.parse(await rerun.json())).toMatchObject({ status: "succeeded", stdout: "new\n" });
    server.child.kill("SIGTERM");
    expect(await server.exited()).toBe(0);
  });
});
