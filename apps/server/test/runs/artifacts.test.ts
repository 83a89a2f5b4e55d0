import { createHash } from "node:crypto";
import type { Artifact } from "@syla/contracts/runs";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("artifacts", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const python = async (code: string) => await execute(server, { language: "python", code: `import os\nos.chdir('/output')\n${code}` });
  const list = async (id: string) => ((await (await server.fetch(`/api/v1/runs/${id}/artifacts`)).json()) as { items: Artifact[] }).items;

  it("are what the program left in /output, byte for byte", async () => {
    const run = await python(
      "os.makedirs('a/b')\nopen('a/b/data.bin', 'wb').write(bytes(range(256)) * 5000)\nopen('table.csv', 'w').write('1,2')\nopen('empty', 'w')",
    );
    expect(run).toMatchObject({ status: "succeeded", artifactCount: 3, skippedArtifacts: [] });
    const items = await list(run.id);
    expect(items.map(({ path, size, mimeType }) => [path, size, mimeType])).toEqual([
      ["a/b/data.bin", 1_280_000, "application/octet-stream"],
      ["empty", 0, "application/octet-stream"],
      ["table.csv", 3, "text/csv"],
    ]);
    for (const item of items) {
      const response = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${item.id}`);
      const bytes = Buffer.from(await response.arrayBuffer());
      expect(response.headers.get("content-length")).toBe(String(item.size));
      expect(createHash("sha256").update(bytes).digest("hex")).toBe(item.sha256);
    }
  });

  it("are kept of a program that failed or ran out of time", async () => {
    expect(await python("open('kept', 'w').write('x')\n1/0")).toMatchObject({ status: "failed", artifactCount: 1 });
    const late = await execute(server, { language: "bash", code: "echo x > /output/kept; sleep 60", limits: { wallMs: 300 } });
    expect(late).toMatchObject({ status: "timed_out", artifactCount: 1 });
  });

  it("are only regular files of the program's own", async () => {
    const run = await python(
      "os.symlink('/etc/passwd', 'link')\nos.symlink('/', 'root')\nos.mkfifo('pipe')\nopen('real', 'w').write('x')\nos.link('real', 'second')\nopen(b'\\xff\\xfe', 'w')",
    );
    const items = await list(run.id);
    expect(items.map((item) => item.path)).toContain("real");
    for (const name of ["link", "root", "pipe"]) {
      expect(items.map((item) => item.path)).not.toContain(name);
      expect(run.skippedArtifacts.map((skipped) => skipped.path)).toContain(name);
    }
    expect(items.every((item) => item.path.isWellFormed() && !item.path.includes("\u{fffd}"))).toBe(true);
    expect(run.artifactCount).toBe(items.length);
  });

  it("have names that do no harm in a header", async () => {
    const names = [
      'quote".txt',
      "new\nline.txt",
      "semi;colon=1.txt",
      "ünï 🙂.txt",
      "(paren)'s*.html",
      "%2e%2e%2f.svg",
      "back\\slash",
      "-rf",
    ];
    const run = await python(`for name in ${JSON.stringify(names)}: open(name, 'w').write(name)`);
    const items = await list(run.id);
    expect(items.map((item) => item.path).toSorted()).toEqual(names.toSorted());
    for (const item of items) {
      const response = await server.fetch(`/api/v1/runs/${run.id}/artifacts/${item.id}`);
      const disposition = response.headers.get("content-disposition") ?? "";
      expect(disposition).toMatch(/^attachment; filename\*=UTF-8''[\w!#$&+.^`|~%-]+$/);
      expect(decodeURIComponent(disposition.replace(/^.*''/, ""))).toBe(item.path);
      expect(response.headers.get("content-security-policy")).toContain("sandbox");
      expect(response.headers.get("x-content-type-options")).toBe("nosniff");
      expect(await response.text()).toBe(item.path);
    }
  });

  it("are counted: what is over the limit is named and left out", async () => {
    const run = await python("for i in range(1005): open(f'{i:04}', 'w').write('x')");
    expect(run.artifactCount).toBe(1000);
    expect(run.skippedArtifacts).toHaveLength(5);
    expect(await list(run.id)).toHaveLength(1000);
  });

  it("are none where nothing was left", async () => {
    const run = await execute(server, { language: "bash", code: "true" });
    expect(await list(run.id)).toEqual([]);
    expect((await server.fetch(`/api/v1/runs/${run.id}/artifacts/art_x`)).status).toBe(404);
  });
});
