import { AppError } from "@syla/contracts/errors";
import { describe, expect, it } from "vitest";
import { Batch } from "../../src/runs/batch.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe("Batch", () => {
  it("hands what comes during a flush to the next one, in order, each with its own result", async () => {
    const flushed: number[][] = [];
    const gate = Promise.withResolvers<void>();
    const batch = new Batch<number, string>(
      async (items) => {
        flushed.push([...items]);
        await gate.promise;
        return items.map(String);
      },
      { most: 3, lanes: 1 },
    );
    const results = [1, 2, 3, 4, 5].map((item) => batch.add(item));
    await turn();
    expect(flushed).toEqual([[1]]);
    gate.resolve();
    expect(await Promise.all(results)).toEqual(["1", "2", "3", "4", "5"]);
    expect(flushed).toEqual([[1], [2, 3, 4], [5]]);
  });

  it("uses no more lanes than it has", async () => {
    let busy = 0;
    let most = 0;
    const batch = new Batch<number, number>(
      async (items) => {
        most = Math.max(most, ++busy);
        await turn();
        busy -= 1;
        return items;
      },
      { most: 1, lanes: 2 },
    );
    await Promise.all(Array.from({ length: 20 }, (_, item) => batch.add(item)));
    expect(most).toBe(2);
  });

  it("waits for as many as are worth it, and not for long", async () => {
    const flushed: number[][] = [];
    const batch = new Batch<number, number>(
      (items) => {
        flushed.push([...items]);
        return Promise.resolve(items);
      },
      { lanes: 1, enough: () => 3, gatherMs: 20 },
    );
    await Promise.all([1, 2, 3].map((item) => batch.add(item)));
    expect(flushed).toEqual([[1, 2, 3]]);
    expect(await Promise.all([4, 5].map((item) => batch.add(item)))).toEqual([4, 5]);
    expect(flushed).toEqual([
      [1, 2, 3],
      [4, 5],
    ]);
  });

  it("lets what has waited long enough follow the flush under way at once", async () => {
    const flushed: number[][] = [];
    const gate = Promise.withResolvers<void>();
    const batch = new Batch<number, number>(
      async (items) => {
        flushed.push([...items]);
        if (items.includes(1)) await gate.promise;
        return items;
      },
      { lanes: 1, enough: () => (flushed.length === 0 ? 1 : 1000), gatherMs: 1 },
    );
    const results = [batch.add(1), batch.add(2)];
    await turn();
    gate.resolve();
    expect(await Promise.all(results)).toEqual([1, 2]);
    expect(flushed).toEqual([[1], [2]]);
  });

  it("fails only the item that is refused", async () => {
    const batch = new Batch<number, number>(
      async (items) => {
        await turn();
        if (items.includes(3)) throw new Error("3 is refused");
        return items;
      },
      { most: 10, lanes: 1 },
    );
    const settled = await Promise.allSettled([1, 2, 3, 4].map((item) => batch.add(item)));
    expect(settled.map((result) => (result.status === "fulfilled" ? result.value : (result.reason as Error).message))).toEqual([
      1,
      2,
      "3 is refused",
      4,
    ]);
    expect(await batch.add(5)).toBe(5);
  });

  it("tells everybody at once that the database is gone, and works again afterwards", async () => {
    let calls = 0;
    let gone = true;
    const batch = new Batch<number, number>(
      async (items) => {
        calls += 1;
        await turn();
        if (gone) throw Object.assign(new Error("Connection terminated unexpectedly"), { cause: new AppError("database_unavailable") });
        return items;
      },
      { most: 10, lanes: 1 },
    );
    const settled = await Promise.allSettled([1, 2, 3].map((item) => batch.add(item)));
    expect(settled.map((result) => result.status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(calls).toBe(2);
    gone = false;
    expect(await batch.add(4)).toBe(4);
  });
});
