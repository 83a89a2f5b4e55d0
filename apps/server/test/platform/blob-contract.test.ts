import { createHash, randomBytes } from "node:crypto";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { hasS3, startTestS3, type TestS3 } from "@syla/testkit/s3";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";
import { openS3Blobs } from "../../src/platform/s3-blobs.ts";
import { Secret } from "../../src/platform/secret.ts";

const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

interface Opened {
  readonly blobs: Blobs;
  /** The folder of unfinished files. */
  readonly incoming: string;
  /** What a new process finds. */
  reopen(): Promise<Blobs>;
}

type Open = (directory: string) => Promise<Opened>;

const openLocal: Open = async (directory) => ({
  blobs: await openBlobs(directory),
  incoming: join(directory, "incoming"),
  reopen: () => openBlobs(directory),
});

let s3: TestS3 | undefined;
const openRemote: Open = async (directory) => {
  if (s3 === undefined) throw new Error("there is no S3 service");
  const { endpoint, bucket, accessKeyId } = s3;
  const target = { endpoint, bucket, accessKeyId, region: "us-east-1", prefix: `${hashOf(Buffer.from(directory))}/` };
  const secretAccessKey = new Secret(s3.secretAccessKey);
  const incoming = join(directory, "incoming");
  const reopen = () => openS3Blobs({ ...target, secretAccessKey }, incoming);
  return { blobs: await reopen(), incoming, reopen };
};

beforeAll(async () => {
  if (hasS3) s3 = await startTestS3();
});
afterAll(() => s3?.[Symbol.asyncDispose]());

// Without OpenStack Swift the S3 store is not tried; `npm test` says how to install it.
const stores: [string, Open][] = [
  ["local disk", openLocal],
  ...(hasS3 ? ([["an S3 service", openRemote]] satisfies [string, Open][]) : []),
];

describe.each(stores)("blob store on %s", (_name, open) => {
  let directory: TemporaryDirectory;
  let opened: Opened;
  let blobs: Blobs;
  beforeAll(async () => {
    directory = createTemporaryDirectory();
    mkdirSync(join(directory.path, "incoming"), { recursive: true });
    opened = await open(directory.path);
    blobs = opened.blobs;
  });
  afterAll(async () => {
    await blobs.close();
    directory[Symbol.dispose]();
  });
  const unfinished = () => readdirSync(opened.incoming);

  it.each([0, 1, 1000, 65_536, 65_537, 3_000_000, 20_000_000])("keeps %i bytes under their hash, the same bytes once", async (size) => {
    const bytes = randomBytes(size);
    const ref = await blobs.put(bytes);
    expect(ref).toEqual({ sha256: hashOf(bytes), size });
    expect(await blobs.put(bytes)).toEqual(ref);
    expect((await blobs.get(ref.sha256)).equals(bytes)).toBe(true);
    expect(await blobs.stat(ref.sha256)).toEqual(ref);
    expect(await blobs.verify(ref.sha256)).toBe(true);
    const other = await opened.reopen();
    expect((await buffer(await other.open(ref.sha256))).equals(bytes)).toBe(true);
    expect(await other.stat(ref.sha256)).toEqual(ref);
    await other.close();
    expect(unfinished()).toEqual([]);
  });

  it("takes streams, files and what is written soon, and the same content at the same time", async () => {
    for (const size of [500, 9_000_000]) {
      const bytes = randomBytes(size);
      const file = join(directory.path, "file");
      writeFileSync(file, bytes);
      const written = await Promise.all([blobs.writeSoon(bytes), blobs.write(bytes), blobs.writeSoon(bytes)]);
      expect((await blobs.get(hashOf(bytes))).equals(bytes)).toBe(true);
      const refs = await Promise.all([
        blobs.putStream(Readable.from([bytes.subarray(0, 10), bytes.subarray(10)])),
        blobs.putFile(file),
        blobs.put(bytes),
        blobs.put(bytes),
      ]);
      for (const ref of [...refs, ...written]) expect(ref).toMatchObject({ sha256: hashOf(bytes), size });
      for (const { sync } of written) await sync();
      expect(await blobs.verify(hashOf(bytes))).toBe(true);
    }
    expect(unfinished()).toEqual([]);
  });

  it.each([10, 200_000])("reads a part of %i bytes", async (size) => {
    const bytes = randomBytes(size);
    const { sha256 } = await blobs.put(bytes);
    const other = await opened.reopen();
    for (const store of [blobs, other]) {
      for (const [start, end] of [
        [0, undefined],
        [2, 5],
        [size - 2, undefined],
        [4, 4],
        [5, size + 5],
        [size, undefined],
      ] as const) {
        const range = { start, ...(end === undefined ? {} : { end }) };
        expect((await buffer(await store.open(sha256, range))).equals(bytes.subarray(start, end))).toBe(true);
      }
    }
    await other.close();
  });

  it("says that a blob is not there, and deletes what may be gone", async () => {
    const missing = hashOf(randomBytes(8));
    await expect(blobs.get(missing)).rejects.toMatchObject({ code: "not_found" });
    await expect(blobs.open(missing)).rejects.toMatchObject({ code: "not_found" });
    await expect(blobs.verify(missing)).rejects.toMatchObject({ code: "not_found" });
    expect(await blobs.has(missing)).toBe(false);
    for (const size of [5, 100_000]) {
      const bytes = randomBytes(size);
      const { sha256 } = await blobs.put(bytes);
      await blobs.delete(sha256);
      await blobs.delete(sha256);
      expect(await blobs.has(sha256)).toBe(false);
      await expect(blobs.get(sha256)).rejects.toMatchObject({ code: "not_found" });
      await blobs.put(bytes);
      expect((await blobs.get(sha256)).equals(bytes)).toBe(true);
    }
  });

  it.each(["../../etc/passwd", "ABC", "", `${"0".repeat(63)}/`, `${"0".repeat(64)}\n`])("does not take %j for a hash", async (name) => {
    for (const call of [blobs.get(name), blobs.open(name), blobs.delete(name), blobs.stat(name)])
      await expect(call).rejects.toMatchObject({ code: "not_found" });
  });

  it("stops at the limit, and leaves nothing when the source breaks off", async () => {
    await expect(blobs.putStream(Readable.from([Buffer.alloc(600), Buffer.alloc(600)]), { maxBytes: 1000 })).rejects.toMatchObject({
      code: "payload_too_large",
    });
    const broken = async function* () {
      yield Buffer.from("half");
      throw new Error("the sender went away");
    };
    await expect(blobs.putStream(broken())).rejects.toThrow("the sender went away");
    expect(unfinished()).toEqual([]);
    expect(await blobs.has(hashOf(Buffer.from("half")))).toBe(false);
  });

  it("lists what is there, and takes out of use what is asked", async () => {
    const refs = [await blobs.put(randomBytes(10)), await blobs.put(randomBytes(100_000))];
    const listed = await Array.fromAsync(blobs.list());
    for (const ref of refs) expect(listed.filter(({ sha256 }) => sha256 === ref.sha256)).toEqual([ref]);
    for (const { sha256 } of refs) {
      expect(await blobs.quarantine(sha256)).toContain(sha256);
      expect(await blobs.has(sha256)).toBe(false);
    }
    const rest = new Set((await Array.fromAsync(blobs.list())).map((ref) => ref.sha256));
    for (const { sha256 } of refs) expect(rest.has(sha256)).toBe(false);
  });
});

describe.runIf(hasS3)("a bucket", () => {
  const target = (change: object) => {
    if (s3 === undefined) throw new Error("there is no S3 service");
    const { endpoint, bucket, accessKeyId } = s3;
    return { endpoint, bucket, accessKeyId, region: "us-east-1", prefix: "", secretAccessKey: new Secret(s3.secretAccessKey), ...change };
  };

  it.each([
    ["another key", { secretAccessKey: new Secret("wrong") }, /does not let this key/],
    ["another name", { bucket: "elsewhere" }, /has no bucket "elsewhere"/],
    ["nobody there", { endpoint: "http://127.0.0.1:9" }, /does not answer/],
  ])("is refused with the reason: %s", async (_case, change, message) => {
    using directory = createTemporaryDirectory();
    await expect(openS3Blobs(target(change), join(directory.path, "incoming"))).rejects.toMatchObject({
      code: "storage_unavailable",
      message: expect.stringMatching(message) as string,
    });
  });

  it("is written to when the database, which claims ask, has been away for a moment; what is written soon does not wait", async () => {
    using directory = createTemporaryDirectory();
    let failures = 0;
    const claim = async () => {
      if ((failures -= 1) >= 0) throw new Error("Connection terminated unexpectedly");
    };
    const claims = { claim, expect: () => {}, forget: () => {} };
    const blobs = await openS3Blobs(target({ prefix: "outage/" }), join(directory.path, "incoming"), claims);
    for (const put of [(bytes: Buffer) => blobs.write(bytes), (bytes: Buffer) => blobs.putStream(Readable.from([bytes]))]) {
      const bytes = randomBytes(1000);
      failures = 2;
      expect(await put(bytes)).toMatchObject({ sha256: hashOf(bytes), size: 1000 });
      expect(failures).toBeLessThan(0);
      expect(await blobs.has(hashOf(bytes))).toBe(true);
    }
    failures = 1;
    const soon = await blobs.writeSoon(randomBytes(1000));
    await expect(soon.written).rejects.toThrow("Connection terminated");
    await blobs.close();
  });
});
