import { expect, test } from "vitest";
import { MachineRoom } from "../../src/microvm/machine-room.ts";

const soon = 20;

test("whoever comes first gets in first, also when a smaller one would fit before", async () => {
  const room = new MachineRoom(100);
  const order: string[] = [];
  const leave = await room.enter(80, soon);
  const large = room.enter(90, 5000).then((out) => (order.push("large"), out));
  const small = room.enter(10, 5000).then((out) => (order.push("small"), out));
  leave();
  leave(); // once counts
  const [leaveLarge, leaveSmall] = await Promise.all([large, small]);
  expect(order).toEqual(["large", "small"]);
  await expect(room.enter(1, soon)).rejects.toMatchObject({ code: "no_capacity" });
  leaveLarge();
  leaveSmall();
  (await room.enter(100, soon))();
});

test("one that gives up lets those behind it in, and what will never fit is told at once", async () => {
  const room = new MachineRoom(100);
  await room.enter(50, soon);
  const [large, small] = await Promise.allSettled([room.enter(60, soon), room.enter(40, 5000)]);
  expect(large).toMatchObject({ status: "rejected", reason: { code: "no_capacity" } });
  expect(small.status).toBe("fulfilled");
  await expect(room.enter(101, 60_000)).rejects.toMatchObject({ code: "no_capacity" });
});
