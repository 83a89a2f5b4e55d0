import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ListObjectsV2Command } from "@aws-sdk/client-s3";
import { hasS3, startTestS3 } from "@syla/testkit/s3";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { seededRandom } from "@syla/testkit/seeded-random";
import { describe, expect, it } from "vitest";
import { keepContent, listContent, restoreContent } from "../../src/backups/content.ts";
import { listIds, readManifest, writeManifest, type Manifest } from "../../src/backups/manifest.ts";
import { openConfiguredRepository } from "../../src/backups/open.ts";
import { findSurplus, prune } from "../../src/backups/prune.ts";
import { cut } from "../../src/backups/repository/cutter.ts";
import { openFolder } from "../../src/backups/repository/objects.ts";
import { openRepository, PieceWriter, readPieces, type Repository } from "../../src/backups/repository/repository.ts";
import { newVerifyReport, verifyBackup } from "../../src/backups/verify.ts";
import { loadConfig } from "../../src/config.ts";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";
import { newId } from "../../src/platform/ids.ts";
import { Secret } from "../../src/platform/secret.ts";

const passphrase = new Secret("correct horse battery staple");
const signal = new AbortController().signal;

async function* chunksOf(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** A backup of nothing but content. */
async function backUp(repository: Repository, blobs: Blobs, hashes: string[], more: Partial<Manifest> = {}): Promise<Manifest> {
  const writer = await PieceWriter.open(repository, () => {});
  const content = await keepContent(writer, blobs, hashes.toSorted(), () => {}, signal);
  const at = new Date().toISOString();
  const manifest: Manifest = {
    format: 1,
    id: newId("bkp"),
    scope: "installation",
    isAutomatic: true,
    note: "",
    version: "0",
    startedAt: at,
    finishedAt: at,
    newBytes: 0,
    dump: null,
    files: [],
    physical: null,
    workspace: null,
    content,
    ...more,
  };
  await writeManifest(repository, manifest);
  return manifest;
}

async function problemsOf(repository: Repository, manifest: Manifest, deep: boolean): Promise<string[]> {
  const report = newVerifyReport();
  await verifyBackup(repository, manifest, { deep, report });
  return report.problems;
}

function objectsIn(folder: string): string[] {
  return readdirSync(join(folder, "data"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

describe("cutting a stream", () => {
  it("gives the same pieces however it comes, and finds most of them again after something is put in", async () => {
    const random = seededRandom(7);
    const bytes = Buffer.from(Array.from({ length: 300_000 }, () => Math.floor(random() * 256)));
    const size = { least: 1024, most: 16_384, between: 4096 };
    const pieces = await Array.fromAsync(cut(chunksOf(bytes, 100), size));
    expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
    expect((await Array.fromAsync(cut(chunksOf(bytes, 65_536), size))).map(String)).toEqual(pieces.map(String));
    for (const piece of pieces.slice(0, -1)) expect([piece.length >= 1024, piece.length <= 16_384]).toEqual([true, true]);
    const changed = Buffer.concat([bytes.subarray(0, 150_000), Buffer.from("put in"), bytes.subarray(150_000)]);
    const known = new Set(pieces.map((piece) => piece.toString("hex")));
    const again = await Array.fromAsync(cut(chunksOf(changed, 1000), size));
    expect(again.filter((piece) => !known.has(piece.toString("hex"))).length).toBeLessThan(5);
  });
});

describe("a repository", () => {
  it("keeps content once, gives it back, and opens with its passphrase only", { timeout: 60_000 }, async () => {
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "repository");
    const blobs = await openBlobs(join(directory.path, "blobs"));
    const large = randomBytes(9_000_000);
    const put = await Promise.all([Buffer.from("small"), Buffer.alloc(0), large].map((bytes) => blobs.put(bytes)));
    const hashes = put.map(({ sha256 }) => sha256);
    const repository = await openRepository(await openFolder(folder), passphrase, true);
    const first = await backUp(repository, blobs, [...hashes, "a".repeat(64)]);
    expect(first.content).toMatchObject({ blobs: 3, bytes: 9_000_005, missing: ["a".repeat(64)], missingCount: 1 });
    const objects = objectsIn(folder);
    const second = await backUp(repository, blobs, hashes);
    expect(objectsIn(folder)).toEqual(objects);
    for (const object of objects) expect(readFileSync(object).includes("small")).toBe(false);
    expect((await Array.fromAsync(listContent(repository, second.content))).map(({ sha256 }) => sha256)).toEqual(hashes.toSorted());

    const there = await openBlobs(join(directory.path, "restored"));
    await restoreContent(repository, second.content, there, () => {});
    expect((await there.get(hashes[2] ?? "")).equals(large)).toBe(true);
    expect(await Promise.all(hashes.map((sha256) => there.verify(sha256)))).toEqual([true, true, true]);

    await expect(openRepository(await openFolder(folder), new Secret("another passphrase"), true)).rejects.toMatchObject({
      code: "backup_passphrase_wrong",
    });
    await expect(openRepository(await openFolder(join(directory.path, "empty")), passphrase, false)).rejects.toMatchObject({
      code: "backup_repository_missing",
    });
    await expect(openFolder(join(directory.path, "no", "parent"))).rejects.toMatchObject({ code: "backup_repository_unavailable" });
    rmSync(join(folder, "repository.json"));
    await expect(openRepository(await openFolder(folder), passphrase, true)).rejects.toMatchObject({ code: "backup_damaged" });
    await blobs.close();
    await there.close();
  });

  it("tells of what is missing, cut short, changed and put in another's place", { timeout: 60_000 }, async () => {
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "repository");
    const blobs = await openBlobs(join(directory.path, "blobs"));
    const hashes: string[] = [];
    for (const letter of "abcd") hashes.push((await blobs.put(Buffer.from(letter.repeat(100)))).sha256);
    const repository = await openRepository(await openFolder(folder), passphrase, true);
    const manifest = await backUp(repository, blobs, hashes);
    expect([await problemsOf(repository, manifest, false), await problemsOf(repository, manifest, true)]).toEqual([[], []]);
    const objectOf = (sha256: string | undefined) => {
      const name = repository.pieceName(`${sha256}/0`);
      return join(folder, "data", name.slice(0, 2), name);
    };
    const [a, b, c, d] = hashes.map(objectOf) as [string, string, string, string];
    const bytes = readFileSync(a);
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    writeFileSync(a, bytes);
    expect(await problemsOf(repository, manifest, false)).toEqual([]);
    expect(await problemsOf(repository, manifest, true)).toEqual([expect.stringContaining("was changed")]);
    renameSync(b, a);
    writeFileSync(b, readFileSync(c));
    truncateSync(d, 40);
    expect(await problemsOf(repository, manifest, false)).toEqual([expect.stringContaining("has 40 bytes")]);
    expect(await problemsOf(repository, manifest, true)).toHaveLength(3);
    expect([a, b, d].filter((object) => existsSync(object))).toEqual([]);
    expect(await problemsOf(repository, manifest, false)).toEqual([1, 2, 3].map(() => expect.stringContaining("is missing") as string));
    // What is damaged is out of the way, so the next backup writes it again, and both are whole.
    const again = await backUp(repository, blobs, hashes);
    expect([await problemsOf(repository, manifest, true), await problemsOf(repository, again, true)]).toEqual([[], []]);
    expect((await repository.listNamed("damaged")).length).toBeGreaterThan(0);
    await prune(repository, [again.id]);
    expect(await repository.listNamed("damaged")).toEqual([]);
    // A manifest under another name is no backup either.
    renameSync(join(folder, "backups", manifest.id), join(folder, "backups", newId("bkp")));
    await expect(readManifest(repository, (await listIds(repository))[0] ?? "")).rejects.toMatchObject({ code: "backup_damaged" });
    await expect(readManifest(repository, "../repository.json")).rejects.toMatchObject({ code: "backup_not_found" });
    await blobs.close();
  });

  it(
    "loses nothing that a kept backup names when another is removed, and what a backup that was cut off has left",
    { timeout: 60_000 },
    async () => {
      using directory = createTemporaryDirectory();
      const folder = join(directory.path, "repository");
      const blobs = await openBlobs(join(directory.path, "blobs"));
      const [one, two, three] = await Promise.all(["one", "two", "three"].map(async (text) => (await blobs.put(Buffer.from(text))).sha256));
      const repository = await openRepository(await openFolder(folder), passphrase, true);
      const first = await backUp(repository, blobs, [one ?? "", two ?? ""]);
      const second = await backUp(repository, blobs, [two ?? ""]);
      const writer = await PieceWriter.open(repository, () => {});
      await keepContent(writer, blobs, [three ?? ""], () => {}, signal); // and then it was killed
      const before = objectsIn(folder).length;
      const gone = await prune(repository, [first.id]);
      expect(gone).toMatchObject({ backups: [first.id], objects: 4 });
      expect(objectsIn(folder)).toHaveLength(before - 4);
      expect(await listIds(repository)).toEqual([second.id]);
      expect(await problemsOf(repository, second, true)).toEqual([]);
      await blobs.close();
    },
  );

  it("is believed nothing that leads out of the folder, or costs too much", async () => {
    using directory = createTemporaryDirectory();
    const folder = join(directory.path, "repository");
    const blobs = await openBlobs(join(directory.path, "blobs"));
    const repository = await openRepository(await openFolder(folder), passphrase, true);
    const physical = {
      systemId: "7",
      major: "18",
      label: "",
      firstSegment: "000000010000000000000001",
      startedAt: new Date().toISOString(),
      consistentAt: new Date().toISOString(),
      files: [],
      folders: ["base/1"],
    };
    const refused = async (more: object) => {
      const { id } = await backUp(repository, blobs, [], { physical: { ...physical, ...more } });
      await expect(readManifest(repository, id)).rejects.toMatchObject({ code: "backup_damaged" });
    };
    for (const path of ["../outside", "base/../../outside", "/etc/outside", "base/..", "a\0b", ""]) {
      await refused({ files: [{ path, pieces: [] }] });
      await refused({ folders: [path] });
    }
    await refused({ systemId: "../7" });
    const fine = await backUp(repository, blobs, [], { physical });
    expect((await readManifest(repository, fine.id)).physical).toEqual(physical);
    await repository.putNamed(`backups/${fine.id}`, Buffer.from("not JSON"));
    await expect(readManifest(repository, fine.id)).rejects.toMatchObject({ code: "backup_damaged" });
    const keyFile = join(folder, "repository.json");
    const text = readFileSync(keyFile, "utf8");
    for (const kdf of [{ n: 2 ** 20 }, { n: 65_535 }, { r: 32 }, { p: 16 }]) {
      const file = JSON.parse(text) as { kdf: object };
      writeFileSync(keyFile, JSON.stringify({ ...file, kdf: { ...file.kdf, ...kdf } }));
      await expect(openRepository(await openFolder(folder), passphrase, false)).rejects.toMatchObject({ code: "backup_damaged" });
    }
    await blobs.close();
  });

  it("cuts and joins what it is given", async () => {
    using directory = createTemporaryDirectory();
    const repository = await openRepository(await openFolder(join(directory.path, "repository")), passphrase, true);
    const writer = await PieceWriter.open(repository, () => {});
    const bytes = randomBytes(3_000_000);
    const pieces = await writer.putStream(chunksOf(bytes, 50_000));
    expect(Buffer.concat(await Array.fromAsync(readPieces(repository, pieces))).equals(bytes)).toBe(true);
  });
});

describe.runIf(hasS3)("a repository in a bucket", () => {
  it("holds what one in a folder does, below its prefix", { timeout: 100_000 }, async () => {
    using directory = createTemporaryDirectory();
    await using s3 = await startTestS3();
    const config = loadConfig({
      SYLA_DATA_DIR: directory.path,
      SYLA_BACKUP_TO: `s3://${s3.bucket}/of/syla`,
      SYLA_BACKUP_PASSPHRASE: passphrase.reveal(),
      SYLA_BACKUP_S3_ENDPOINT: s3.endpoint,
      SYLA_BACKUP_S3_ACCESS_KEY_ID: s3.accessKeyId,
      SYLA_BACKUP_S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    });
    const blobs = await openBlobs(join(directory.path, "blobs"));
    const hashes = [await blobs.put(Buffer.from("small")), await blobs.put(randomBytes(9_000_000))].map(({ sha256 }) => sha256);
    await expect(openConfiguredRepository(config, false)).rejects.toMatchObject({ code: "backup_repository_missing" });
    const repository = await openConfiguredRepository(config, true);
    const manifest = await backUp(repository, blobs, hashes);
    expect(await problemsOf(repository, manifest, true)).toEqual([]);
    const other = await openConfiguredRepository(config, false);
    expect([other.id, await listIds(other)]).toEqual([repository.id, [manifest.id]]);
    const { Contents = [] } = await s3.client.send(new ListObjectsV2Command({ Bucket: s3.bucket }));
    for (const { Key } of Contents) expect(Key).toMatch(/^of\/syla\//);
    expect((await prune(other, [manifest.id])).objects).toBe(Contents.length - 2);
    expect((await s3.client.send(new ListObjectsV2Command({ Bucket: s3.bucket }))).KeyCount).toBe(1);
    repository.close();
    other.close();
    await blobs.close();
  });
});

describe("retention", () => {
  const made = (day: number, more: Partial<Manifest> = {}) =>
    ({ id: `bkp_${String(day).padStart(26, "0")}`, scope: "installation", isAutomatic: true, physical: null, ...more }) as Manifest;
  const withLog = (day: number) => made(day, { physical: { consistentAt: `2026-01-0${day}T00:00:00.000Z` } as Manifest["physical"] });

  it("keeps the newest, and what somebody made", () => {
    const all = [made(1), made(2, { isAutomatic: false }), made(3), made(4), made(5, { scope: "workspace" })];
    expect(findSurplus(all, { keep: 1, logSince: null })).toEqual([made(3).id, made(1).id]);
    expect(findSurplus(all, { keep: 3, logSince: null })).toEqual([]);
  });

  it("keeps the copies of the cluster that the time of the log needs", () => {
    const all = [1, 2, 3, 4, 5].map(withLog);
    expect(findSurplus(all, { keep: 1, logSince: new Date("2026-01-03T12:00:00Z") })).toEqual([withLog(2).id, withLog(1).id]);
  });
});
