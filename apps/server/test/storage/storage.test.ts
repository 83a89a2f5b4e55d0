import { createHash, randomBytes } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StorageJob, StorageStatus } from "@syla/contracts/storage";
import { hasS3, startTestS3 } from "@syla/testkit/s3";
import { execute, getRun } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { DeleteObjectCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

async function perform(server: TestServer, kind: string): Promise<StorageJob> {
  const response = await server.send("POST", "/api/v1/admin/storage/jobs", { kind });
  expect(response.status).toBe(202);
  let job = StorageJob.parse(await response.json());
  while (job.state === "running") {
    await sleep(20);
    job = StorageJob.parse(await (await server.fetch(`/api/v1/admin/storage/jobs/${job.id}`)).json());
  }
  expect(job.report.error).toBeNull();
  return job;
}

const upload = async (server: TestServer, bytes: Buffer): Promise<string> =>
  (
    (await (
      await server.fetch("/api/v1/blobs", {
        method: "POST",
        body: new Uint8Array(bytes),
        headers: { "content-type": "application/octet-stream" },
      })
    ).json()) as { sha256: string }
  ).sha256;

describe("stored content", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it("is looked through; what is damaged is named with what refers to it, and taken out of use", async () => {
    const run = await execute(server, { language: "python", code: "print('kept')", files: [{ path: "a.txt", content: "a" }] });
    await getRun(server, run.id);
    const large = await upload(server, randomBytes(100_000));
    const lost = await upload(server, randomBytes(100_000));
    expect((await perform(server, "check")).report).toMatchObject({ findingCount: 0, findings: [] });
    const file = (sha256: string) => join(server.dataDir, "blobs", "sha256", sha256.slice(0, 2), sha256);
    writeFileSync(file(large), "spoilt");
    await server.context.blobs.delete(lost);
    const findings = [
      { sha256: large, problem: "damaged", outcome: "found" },
      { sha256: lost, problem: "missing", outcome: "found" },
    ];
    const checked = await perform(server, "check");
    expect(checked.report).toMatchObject({ findingCount: 2, findings });
    for (const finding of checked.report.findings) expect(finding.referrers).toEqual([expect.stringMatching(/^an upload of user_/)]);
    const repaired = await perform(server, "repair");
    expect(repaired.report.findings).toMatchObject([{ outcome: "quarantined" }, { outcome: "lost" }]);
    expect(readFileSync(repaired.report.findings[0]?.detail ?? "", "utf8")).toBe("spoilt");
    expect(readdirSync(join(server.dataDir, "blobs", "quarantine"))).toHaveLength(1);
    await sql`delete from uploads`.execute(server.context.database.queries);
    expect((await perform(server, "check")).report.findingCount).toBe(0);
  });

  it("stays as long as something refers to it, and goes some time after", async () => {
    const { queries } = server.context.database;
    const code = `print(${JSON.stringify("x".repeat(2000))}, open('in.txt').read())`;
    const run = await execute(server, { language: "python", code, stdin: "in", files: [{ path: "in.txt", content: "i".repeat(70_000) }] });
    await getRun(server, run.id);
    const free = await upload(server, randomBytes(70_000));
    await sql`delete from uploads`.execute(queries);
    const first = await perform(server, "collect");
    expect(first.report.unreferenced).toBeGreaterThan(0);
    expect(first.report.deleted).toBe(0);
    await sql`update blob_garbage set since = since - interval '2 days'`.execute(queries);
    expect((await perform(server, "collect")).report.deleted).toBe(first.report.unreferenced);
    expect(await server.context.blobs.has(free)).toBe(false);
    expect((await perform(server, "check")).report.findingCount).toBe(0);
    const again = await server.send("POST", `/api/v1/runs/${run.id}/rerun`);
    const { id } = (await again.json()) as { id: string };
    await expect.poll(async () => (await getRun(server, id)).status).toBe("succeeded");
    const status = StorageStatus.parse(await (await server.fetch("/api/v1/admin/storage")).json());
    expect(status).toMatchObject({ store: "local", replicas: [], unreferenced: 0, graceHours: 24 });
    expect(status.jobs[0]).toMatchObject({ kind: "check", state: "done" });
  });

  it("stays with the trees of programs, counts once for each owner, and goes with them", async () => {
    const { queries } = server.context.database;
    const files = [
      { path: "main.py", content: "print('tree')" },
      { path: "copy.py", content: "print('tree')" },
    ];
    const created = await server.send("POST", "/api/v1/assets", {
      type: "program",
      name: "Tree",
      files,
      config: { runtime: "python", entrypoint: "main.py" },
    });
    expect(created.status).toBe(201);
    const asset = (await created.json()) as { id: string; tree: { sha256: string } };
    await sql`delete from uploads`.execute(queries);
    const age = () => sql`update blob_garbage set since = since - interval '2 days'`.execute(queries);
    for (let round = 0; round < 3; round += 1) {
      await perform(server, "collect");
      await age();
    }
    expect((await perform(server, "check")).report.findingCount).toBe(0);
    expect(await (await server.fetch(`/api/v1/programs/${asset.id}/file?path=copy.py`)).text()).toBe("print('tree')");
    const owner = ((await (await server.fetch("/api/v1/users/me")).json()) as { id: string }).id;
    const { rows } = await sql<{ days: number; stored: number }>`select
      (select sum(stored_bytes)::int from usage_days where user_id = ${owner}) as days,
      (select sum(size)::int from (select distinct sha256, size from (
        select sha256, size from tree_blobs union all select log_sha256, log_size from runs where log_sha256 is not null
        union all select file ->> 'sha256', (file ->> 'size')::bigint from runs, jsonb_array_elements(config -> 'files') as file
        union all select given ->> 'sha256', (given ->> 'size')::bigint from runs, unnest(array[config -> 'stdin', config -> 'tests']) as given
          where given ->> 'sha256' is not null
        union all select sha256, size from artifacts) as a) as b) as stored`.execute(queries);
    expect(rows[0]?.days).toBe(rows[0]?.stored);
    await sql`delete from assets`.execute(queries);
    for (let round = 0; round < 4; round += 1) {
      await perform(server, "collect");
      await age();
    }
    expect(await server.context.blobs.has(asset.tree.sha256)).toBe(false);
    expect((await sql`select 1 from trees`.execute(queries)).rows).toEqual([]);
    expect(await server.context.blobs.has(createHash("sha256").update("print('tree')").digest("hex"))).toBe(false);
  });

  it("is measured by kind and by owner, each content once for each", async () => {
    const bytes = randomBytes(90_000);
    const program = { type: "program", name: "Weighed", config: { runtime: "python", entrypoint: "main.py" } };
    await server.send("POST", "/api/v1/assets", { ...program, files: [{ path: "main.py", content: "print('weighed')" }] });
    await upload(server, bytes);
    await upload(server, bytes);
    await server.context.blobs.put(randomBytes(80_000));
    await perform(server, "collect");
    const job = await perform(server, "measure");
    const status = StorageStatus.parse(await (await server.fetch("/api/v1/admin/storage")).json());
    const { usage } = status;
    expect(usage).toMatchObject({ blobs: job.report.blobs, bytes: job.report.bytes });
    const share = (kind: string) => usage?.kinds.find((one) => one.kind === kind);
    expect(share("uploads")?.bytes).toBeGreaterThanOrEqual(90_000);
    expect(share("uploads")?.bytes).toBeLessThan(180_000);
    expect(share("unreferenced")?.bytes).toBeGreaterThanOrEqual(80_000);
    expect(share("programs")?.blobs).toBeGreaterThanOrEqual(2);
    expect(usage?.kinds.map(({ kind }) => kind)).not.toContain("other");
    const me = (await (await server.fetch("/api/v1/users/me")).json()) as { id: string; name: string };
    expect(usage?.owners[0]).toMatchObject({ ownerId: me.id, name: me.name });
    expect(usage?.owners[0]?.bytes).toBeGreaterThanOrEqual(90_000);
    expect(Date.parse(status.nextCollectionAt)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    const refused = await server.send("POST", "/api/v1/admin/storage/jobs", { kind: "copy" });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, "storage_target_missing"]);
  });

  it("is cared for by one at a time; the job of a server that is gone has failed", async () => {
    const { queries } = server.context.database;
    await sql`insert into workers (id, hostname, pid, lease_until) values ('worker_gone', 'h', 1, now() + interval '1 hour')`.execute(
      queries,
    );
    await sql`insert into storage_jobs (id, kind, state, worker_id, report) values ('sjob_0', 'check', 'running', 'worker_gone', '{}')`.execute(
      queries,
    );
    const stopping = await server.send("POST", "/api/v1/admin/storage/jobs/sjob_0/stop");
    expect(await stopping.json()).toMatchObject({ state: "running", isStopping: true });
    const refused = await server.send("POST", "/api/v1/admin/storage/jobs", { kind: "collect" });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([409, "storage_busy"]);
    await sql`update workers set stopped_at = now() where id = 'worker_gone'`.execute(queries);
    await perform(server, "collect");
    const gone = StorageJob.parse(await (await server.fetch("/api/v1/admin/storage/jobs/sjob_0")).json());
    expect(gone).toMatchObject({ state: "failed", report: { error: "The server that did it is gone." } });
  });

  it.each([{ kind: "destroy" }, {}, { kind: "check", force: true }])("refuses %j", async (body) => {
    expect((await server.send("POST", "/api/v1/admin/storage/jobs", body)).status).toBe(400);
    expect((await server.fetch("/api/v1/admin/storage/jobs/sjob_none")).status).toBe(404);
    expect((await server.send("POST", "/api/v1/admin/storage/jobs/sjob_none/stop")).status).toBe(404);
  });
});

describe.runIf(hasS3)("a server whose content is in a bucket", () => {
  it("runs programs, restores from the other store what is damaged, and says when the bucket is another", async () => {
    await using s3 = await startTestS3();
    await using server = await startTestServer(s3.variables);
    const code =
      "import sys, pathlib\nprint(sys.stdin.read(), len(open('in.txt').read()))\npathlib.Path('/output/o.bin').write_bytes(bytes(100_000))";
    const run = await execute(server, {
      language: "python",
      code,
      stdin: "hello",
      files: [{ path: "in.txt", content: "i".repeat(70_000) }],
    });
    expect(run).toMatchObject({ status: "succeeded", stdout: "hello 70000\n", artifactCount: 1 });
    const log = await (await server.fetch(`/api/v1/runs/${run.id}/log`)).text();
    expect(log).toBe("hello 70000\n");
    expect((await perform(server, "check")).report).toMatchObject({ findingCount: 0 });
    const kept = randomBytes(80_000);
    const sha256 = await upload(server, kept);
    const Key = `sha256/${sha256.slice(0, 2)}/${sha256}`;
    await s3.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key, Body: Buffer.from("spoilt") }));
    expect((await perform(server, "repair")).report.findings).toMatchObject([
      { sha256, outcome: "quarantined", detail: expect.stringContaining("quarantine/") as string },
    ]);
    await s3.client.send(new DeleteObjectCommand({ Bucket: s3.bucket, Key }));
    expect((await perform(server, "check")).report.findings).toMatchObject([{ sha256, problem: "missing" }]);
  });
});
