import { expect, it } from "vitest";
import { FairTurns, Turns } from "../../src/platform/turns.ts";

const anybody = new AbortController().signal;

it("lets only so many work at once, in the order in which they came", async () => {
  const turns = new Turns(2);
  const begun: number[] = [];
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
  const done = gates.map((gate, index) =>
    turns.take(anybody, async () => {
      begun.push(index);
      await gate.promise;
      return index;
    }),
  );
  await expect.poll(() => begun).toEqual([0, 1]);
  gates[1]?.reject(new Error("failed"));
  await expect(done[1]).rejects.toThrow("failed");
  await expect.poll(() => begun).toEqual([0, 1, 2]);
  for (const gate of gates) gate.resolve();
  expect(await Promise.all(done.toSpliced(1, 1))).toEqual([0, 2, 3, 4]);
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(await turns.take(anybody, () => Promise.resolve("free"))).toBe("free");
});

it("takes nobody's turn who has gone away", async () => {
  const turns = new Turns(1);
  const gate = Promise.withResolvers<void>();
  const first = turns.take(anybody, () => gate.promise);
  const gone = new AbortController();
  const waiting = turns.take(gone.signal, () => Promise.resolve("not reached"));
  const last = turns.take(anybody, () => Promise.resolve("last"));
  gone.abort(new Error("gone"));
  await expect(waiting).rejects.toThrow("gone");
  gate.resolve();
  await first;
  expect(await last).toBe("last");
  await expect(turns.take(gone.signal, () => Promise.resolve(1))).rejects.toThrow("gone");
});

it("gives one person one turn at a time, and others theirs ahead of what else that person wants", async () => {
  const turns = new FairTurns(2);
  const begun: string[] = [];
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const take = (who: string, name: string, gate = Promise.resolve()) =>
    turns.take(who, anybody, async () => {
      begun.push(name);
      await gate;
    });
  const ann = [take("ann", "ann 1", gates[0]?.promise), take("ann", "ann 2", gates[1]?.promise), take("ann", "ann 3")];
  await take("bob", "bob");
  expect(begun).toEqual(["ann 1", "bob"]);
  gates[0]?.resolve();
  await ann[0];
  await expect.poll(() => begun).toEqual(["ann 1", "bob", "ann 2"]);
  gates[1]?.resolve();
  await Promise.all(ann);
  await take("ann", "ann 4");
  expect(begun).toEqual(["ann 1", "bob", "ann 2", "ann 3", "ann 4"]);
});
