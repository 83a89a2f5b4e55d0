import { describe, expect, test } from "vitest";
import { Slots } from "../../src/runs/slots.ts";

/** Slots whose queue has been looked at and is empty. */
function emptyQueue(count: number, onWork = () => {}): Slots {
  const slots = new Slots(count, onWork);
  slots.settleClaim(slots.takeAll(), []);
  return slots;
}

describe("the slots of a worker", () => {
  test("go to submissions while the queue is known to be empty", () => {
    const slots = emptyQueue(2);
    expect([slots.take("ann"), slots.take("ann"), slots.take("ann")]).toEqual([true, true, false]);
    expect(slots.used).toBe(2);
  });

  test("go to the queue first when it may hold work", () => {
    let asked = 0;
    const slots = emptyQueue(1, () => (asked += 1));
    expect(slots.take("ann")).toBe(true);
    slots.noteQueued();
    slots.giveBack("ann");
    expect(asked).toBe(1);
    expect(slots.take("ann")).toBe(false);
    const taken = slots.takeAll();
    expect(taken).toBe(1);
    slots.settleClaim(taken, ["ann"]);
    expect(slots.used).toBe(1);
  });

  test("a submission that waits a moment gets the one that comes free, the higher priority first", async () => {
    const slots = emptyQueue(1);
    expect(slots.take("ann")).toBe(true);
    const order: string[] = [];
    const low = slots.takeSoon("ann", 1).then((taken) => order.push(`low ${taken}`));
    const high = slots.takeSoon("ann", 9).then((taken) => order.push(`high ${taken}`));
    slots.giveBack("ann");
    await high;
    expect(slots.used).toBe(1);
    slots.giveBack("ann");
    await low;
    expect(order).toEqual(["high true", "low true"]);
  });

  test("a submission for which none comes free has to queue, and gets none later", async () => {
    const slots = emptyQueue(1);
    slots.take("ann");
    expect(await slots.takeSoon("ann", 5)).toBe(false);
    slots.giveBack("ann");
    expect(slots.used).toBe(0);
  });

  test("whoever waits when the worker drains has to queue", async () => {
    const slots = emptyQueue(1);
    slots.take("ann");
    const waiting = slots.takeSoon("ann", 5);
    slots.close();
    expect(await waiting).toBe(false);
    expect(await slots.takeSoon("ann", 5)).toBe(false);
  });

  test("a queue that could not be read may still hold work", () => {
    const slots = emptyQueue(2);
    slots.noteQueued();
    slots.settleClaim(slots.takeAll(), null);
    expect(slots.used).toBe(0);
    expect(slots.take("ann")).toBe(false);
  });

  test("nobody has all of them while others wait: those get one besides, and no more", () => {
    const slots = emptyQueue(2);
    expect([slots.take("ann"), slots.take("ann"), slots.take("ann")]).toEqual([true, true, false]);
    expect([slots.take("ben"), slots.take("ben"), slots.take("cid")]).toEqual([true, false, false]);
    expect(slots.used).toBe(3);
    slots.giveBack("ben");
    expect([slots.take("ann"), slots.take("cid")]).toEqual([false, true]);
    slots.giveBack("ann");
    expect([slots.take("ann"), slots.used]).toEqual([false, 2]);
  });

  test("the one besides goes to what waits in the queue of others too", () => {
    const slots = emptyQueue(2);
    slots.take("ann");
    slots.take("ann");
    slots.noteQueued();
    expect(slots.takeBesides()).toEqual({ soleHolder: "ann" });
    expect(slots.takeBesides()).toBeNull();
    slots.settleBesides([]);
    expect([slots.used, slots.takeBesides()]).toEqual([2, { soleHolder: "ann" }]);
    slots.settleBesides(["ben"]);
    expect([slots.used, slots.takeBesides(), slots.takeAll()]).toEqual([3, null, 0]);
  });

  test("a single slot is not shared", () => {
    const slots = emptyQueue(1);
    expect([slots.take("ann"), slots.take("ben"), slots.takeBesides()]).toEqual([true, false, null]);
  });

  test("that are closed go to nobody, and open again to what waits in the queue first", () => {
    let asked = 0;
    const slots = emptyQueue(2, () => (asked += 1));
    slots.close();
    expect([slots.take("ann"), slots.takeAll(), slots.isClosed]).toEqual([false, 0, true]);
    slots.open();
    expect([asked, slots.take("ann")]).toEqual([1, false]);
    slots.settleClaim(slots.takeAll(), ["ann"]);
    expect([slots.load, slots.take("ben"), slots.load]).toEqual([0.5, true, 1]);
  });
});
