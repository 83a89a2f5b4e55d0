import { hash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { hasS3, startTestS3 } from "@syla/testkit/s3";
import { createTestDatabase } from "@syla/testkit/database";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import fc from "fast-check";
import { sql } from "kysely";
import { describe, expect, it } from "vitest";
import { openOwnClaims, openSharedClaims, type Claims } from "../../src/platform/blob-claims.ts";
import { openBlobs, type Blobs } from "../../src/platform/blobs.ts";
import { openDatabase, type Database } from "../../src/platform/database.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { openS3Blobs } from "../../src/platform/s3-blobs.ts";
import { Secret } from "../../src/platform/secret.ts";
import { collect } from "../../src/storage/collection.ts";
import { openTiers, type Tiers } from "../../src/storage/tiers/tiers.ts";

const graceMs = 60_000;

/** A store with a database, in which uploads refer to content. Time passes by making the notes older. */
interface World extends Opened {
  readonly database: Database;
}

interface Opened {
  readonly blobs: Blobs;
  readonly claims: Claims;
  readonly tiers?: Tiers;
}

type OpenStore = (database: Database) => Promise<Opened>;

const refer = (database: Database, sha256: string) =>
  sql`insert into uploads (owner_id, sha256, size) values ('user_1', ${sha256}, 1) on conflict do nothing`.execute(database.queries);
const drop = (database: Database, sha256: string) => sql`delete from uploads where sha256 = ${sha256}`.execute(database.queries);
const pass = (database: Database, ms: number) =>
  sql`update blob_garbage set since = since - make_interval(secs => ${ms / 1000})`.execute(database.queries);

async function withDatabase(test: (database: Database) => Promise<void>): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const { address } = stack.use(await createTestDatabase());
  const database = stack.adopt(openDatabase(address, createLogger("silent")), (value) => value.close());
  await sql`insert into users (id, name) values ('user_1', 'One')`.execute(database.queries);
  await test(database);
}

const content = (index: number) => Buffer.from(`content ${index} `.repeat(index % 2 === 0 ? 1 : 10_000));
const hashOf = (index: number) => hash("sha256", content(index));

type Step =
  | { readonly kind: "put" | "putSoon" | "refer" | "drop" | "keep"; readonly index: number }
  | { readonly kind: "collect" }
  | { readonly kind: "cool" }
  | { readonly kind: "restart" }
  | { readonly kind: "wait"; readonly share: number };

const indexes = fc.integer({ min: 0, max: 1 });
const steps = fc.array(
  fc.oneof<fc.Arbitrary<Step>[]>(
    fc.record({ kind: fc.constantFrom("put", "putSoon", "put", "refer", "refer", "refer", "drop", "keep"), index: indexes }),
    fc.record({ kind: fc.constantFrom("collect", "collect", "collect", "collect", "cool", "restart") }),
    fc.record({ kind: fc.constant("wait"), share: fc.constantFrom(0.3, 0.6) }),
  ),
  { minLength: 12, maxLength: 24 },
);

/**
 * Two at once take steps: one puts and refers some time later, the other collects. Whatever is referred to has to be there, always.
 * `restart` is what a killed process leaves: notes in the database, nothing in memory.
 */
async function play(database: Database, open: OpenStore, doing: readonly Step[], collecting: readonly Step[]): Promise<void> {
  let world: World = { database, ...(await open(database)) };
  const referred = new Set<number>();
  /** When each was put or claimed last, and may still be referred to. */
  const safe = new Map<number, number>();
  let now = 0;
  const perform = async (step: Step): Promise<void> => {
    const { blobs, claims } = world;
    if (step.kind === "collect") return void (await collect({ database, blobs, claims, store: "test", graceMs }));
    if (step.kind === "cool") {
      const outcomes = new Set<string>();
      for await (const { outcome } of world.tiers?.cool(new AbortController().signal) ?? []) outcomes.add(outcome);
      outcomes.delete("moved");
      if (outcomes.size > 0) throw new Error(`what was cooled came out ${[...outcomes].join(", ")}`);
      return;
    }
    if (step.kind === "wait") {
      now += step.share;
      return void (await pass(database, step.share * graceMs));
    }
    if (step.kind === "restart") return;
    const sha256 = hashOf(step.index);
    const began = now;
    if (step.kind === "drop") {
      referred.delete(step.index);
      await drop(database, sha256);
    } else if (step.kind === "refer") {
      if (now - (safe.get(step.index) ?? Number.NEGATIVE_INFINITY) > 0.9) return;
      await refer(database, sha256);
      referred.add(step.index);
    } else if (step.kind === "keep") {
      await blobs.keep([sha256]);
      if (await blobs.has(sha256)) safe.set(step.index, began);
    } else {
      const { sync } = step.kind === "put" ? await blobs.write(content(step.index)) : await blobs.writeSoon(content(step.index));
      await sync();
      safe.set(step.index, began);
    }
  };
  for (let at = 0; at < Math.max(doing.length, collecting.length); at += 1) {
    const together = [doing[at], collecting[at]].filter((step) => step !== undefined);
    await Promise.all(together.map(perform));
    if (together.some((step) => step.kind === "restart")) {
      await world.blobs.close();
      world = { database, ...(await open(database)) };
    }
    for (const index of referred) expect(await world.blobs.verify(hashOf(index))).toBe(true);
  }
  // Left alone for long enough, exactly what is referred to stays.
  for (let round = 0; round < 2; round += 1) {
    await collect({ ...world, store: "test", graceMs });
    await pass(database, graceMs * 1.1);
  }
  await collect({ ...world, store: "test", graceMs });
  const left = new Set((await Array.fromAsync(world.blobs.list())).map((ref) => ref.sha256));
  expect(left).toEqual(new Set([...referred].map(hashOf)));
  await world.blobs.close();
  await sql`truncate uploads, blob_garbage, cold_blobs`.execute(database.queries);
}

const sweeps = new Set<Step["kind"]>(["collect", "cool", "wait"]);
const putting = steps.map((list) => list.filter((step) => !sweeps.has(step.kind)));
const sweeping = steps.map((list) => list.filter((step) => sweeps.has(step.kind)));

/** Put again when the note of it is old enough, and referred to only after a collection. */
const put0: Step = { kind: "put", index: 0 };
const idle: Step = { kind: "drop", index: 1 };
const long: Step = { kind: "wait", share: 0.6 };
/** The large content, which can go elsewhere. */
const put1: Step = { kind: "put", index: 1 };
const refer1: Step = { kind: "refer", index: 1 };
const idle0: Step = { kind: "drop", index: 0 };
const noted: [Step[], Step[]] = [
  [put0, idle, idle, idle, put0, idle, { kind: "refer", index: 0 }],
  [{ kind: "wait", share: 0.3 }, { kind: "collect" }, long, long, { kind: "wait", share: 0.3 }, { kind: "collect" }, { kind: "collect" }],
];

describe("collecting what nothing refers to", () => {
  it("never deletes what something refers to, whatever happens at the same time", async () => {
    await withDatabase(async (database) => {
      const property = fc.asyncProperty(putting, sweeping, async (doing, collecting) => {
        using directory = createTemporaryDirectory();
        const open: OpenStore = async () => {
          const claims = await openOwnClaims(database.queries, "test");
          return { claims, blobs: await openBlobs(directory.path, claims) };
        };
        await play(database, open, doing, collecting);
      });
      expect.hasAssertions();
      await fc.assert(property, { numRuns: 8, examples: [noted] });
    });
  });

  it("neither where what nobody reads goes to another place", async () => {
    await withDatabase(async (database) => {
      const property = fc.asyncProperty(putting, sweeping, async (doing, collecting) => {
        using directory = createTemporaryDirectory();
        const open: OpenStore = async () => {
          const claims = await openOwnClaims(database.queries, "test");
          const hot = await openBlobs(join(directory.path, "hot"), claims);
          const cold = await openBlobs(join(directory.path, "cold"));
          const tiers = openTiers({ queries: database.queries, hot, cold, store: "cold", place: "cold", coldMs: -1000 });
          return { claims, blobs: tiers.blobs, tiers };
        };
        await play(database, open, doing, collecting);
      });
      expect.hasAssertions();
      const cooled: [Step[], Step[]] = [
        [put1, idle0, put1, refer1, idle0, idle0],
        [{ kind: "cool" }, { kind: "cool" }, { kind: "collect" }, long, long, { kind: "collect" }],
      ];
      await fc.assert(property, { numRuns: 8, examples: [noted, cooled] });
    });
  });

  it.runIf(hasS3)("neither in a bucket that two servers share", async () => {
    await using s3 = await startTestS3();
    await withDatabase(async (database) => {
      using directory = createTemporaryDirectory();
      let run = 0;
      const property = fc.asyncProperty(putting, sweeping, async (doing, collecting) => {
        run += 1;
        const { endpoint, bucket, accessKeyId } = s3;
        const target = { endpoint, bucket, accessKeyId, region: "us-east-1", prefix: `${run}/` };
        const open: OpenStore = async () => {
          const claims = openSharedClaims(database.queries, "test", 0);
          return {
            claims,
            blobs: await openS3Blobs({ ...target, secretAccessKey: new Secret(s3.secretAccessKey) }, directory.path, claims),
          };
        };
        await play(database, open, doing, collecting);
      });
      expect.hasAssertions();
      await fc.assert(property, { numRuns: 2, examples: [noted] });
    });
  });

  it("waits for the time of grace, and a put in the middle of deleting writes anew", async () => {
    await withDatabase(async (database) => {
      using directory = createTemporaryDirectory();
      const claims = await openOwnClaims(database.queries, "test");
      const blobs = await openBlobs(directory.path, claims);
      const bytes = randomBytes(100);
      const { sha256 } = await blobs.put(bytes);
      const context = { database, blobs, claims, store: "test", graceMs };
      expect(await collect(context)).toMatchObject({ blobs: 1, unreferenced: 1, deleted: 0 });
      await pass(database, graceMs * 1.1);
      const deleting = Promise.withResolvers<void>();
      const goOn = Promise.withResolvers<void>();
      const slow: Blobs = {
        ...blobs,
        delete: async (name) => {
          deleting.resolve();
          await goOn.promise;
          await blobs.delete(name);
        },
      };
      const collecting = collect({ ...context, blobs: slow });
      await deleting.promise;
      const again = blobs.put(bytes);
      goOn.resolve();
      expect((await collecting).deleted).toBe(1);
      await again;
      expect(await blobs.get(sha256)).toEqual(bytes);
      await blobs.close();
    });
  });
});
