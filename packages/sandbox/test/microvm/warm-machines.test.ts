import { expect, onTestFinished, test } from "vitest";
import { WarmMachines, type WarmOptions } from "../../src/microvm/warm-machines.ts";

interface Fake {
  readonly machine: { isDead: boolean; readonly ended: Promise<void>; end(): Promise<void>; readonly number: number };
}

function stage(options: WarmOptions) {
  const warm = new WarmMachines<Fake>(options);
  onTestFinished(() => warm.stop());
  const made: Fake[] = [];
  const make = async () => {
    const ended = Promise.withResolvers<void>();
    const machine = {
      number: made.length,
      isDead: false,
      ended: ended.promise,
      end: async () => {
        machine.isDead = true;
        ended.resolve();
      },
    };
    made.push({ machine });
    return made.at(-1) as Fake;
  };
  return { warm, made, make, want: (kind: string, bytes = 10) => warm.want(kind, `machine ${kind}`, bytes, make) };
}

test("what was wanted once is made ahead, and taken once", async () => {
  const { warm, made, want } = stage({ mostOfKind: 1, mostBytes: 100 });
  expect(warm.take("a")).toBeNull();
  want("a");
  await expect.poll(() => warm.report()).toEqual([{ kind: "machine a", spares: 1, wantedSpares: 1, jails: [] }]);
  expect(warm.take("b")).toBeNull();
  expect(warm.take("a")).toBe(made[0]);
  expect(warm.take("a")).toBeNull();
});

test("no more wait than may, of one kind and of all", async () => {
  const { warm, made, want } = stage({ mostOfKind: 2, mostBytes: 35 });
  for (let time = 0; time < 5; time += 1) want("a");
  for (let time = 0; time < 5; time += 1) want("b");
  await expect.poll(() => made.length).toBe(3);
  expect(warm.report().map(({ spares }) => spares)).toEqual([2, 1]);
  const none = stage({ mostOfKind: 0, mostBytes: 100 });
  none.want("a");
  expect(none.made).toEqual([]);
});

test("those that wait make room for whoever runs", async () => {
  const { warm, made, want } = stage({ mostOfKind: 3, mostBytes: 100 });
  for (let time = 0; time < 3; time += 1) want("a");
  await expect.poll(() => warm.report()[0]?.spares).toBe(3);
  warm.makeRoom(15);
  expect(made.map(({ machine }) => machine.isDead)).toEqual([true, true, false]);
  expect(warm.take("a")).toBe(made[2]);
});

test("one that ends while it waits is nobody's, and one that comes too late ends", async () => {
  const { warm, made, want } = stage({ mostOfKind: 1, mostBytes: 100 });
  want("a");
  await expect.poll(() => warm.report()[0]?.spares).toBe(1);
  await made[0]?.machine.end();
  expect(warm.take("a")).toBeNull();
  want("a");
  await expect.poll(() => warm.report()[0]?.spares).toBe(1);
  await warm.stop();
  expect(made.map(({ machine }) => machine.isDead)).toEqual([true, true]);
});
