import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { KeptMachines } from "../../src/microvm/kept-machines.ts";

/** A machine that can be kept, and says how often it was. */
function machine() {
  const told = { times: 0 };
  const keep = async (target: string) => {
    told.times += 1;
    writeFileSync(join(target, "state"), "x");
    return { state: join(target, "state"), scratch: join(target, "scratch") };
  };
  return { keep, told };
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "syla-kept-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("one of a kind is kept, however many boot at once", async () => {
  const place = folder();
  const kept = new KeptMachines(place);
  expect(kept.find("a")).toBeNull();
  const [first, second] = [machine(), machine()];
  await Promise.all([kept.keep("a", first), kept.keep("a", second)]);
  await kept.keep("a", second);
  expect([first.told.times, second.told.times]).toEqual([1, 0]);
  expect(kept.find("a")).toEqual({ state: join(place, "kept-0/state"), scratch: join(place, "kept-0/scratch") });
});

test("the kind that was used longest ago makes room", async () => {
  const place = folder();
  const kept = new KeptMachines(place);
  for (let number = 0; number < 8; number += 1) await kept.keep(`kind ${number}`, machine());
  expect(kept.find("kind 0")).not.toBeNull();
  await kept.keep("another", machine());
  expect([kept.find("kind 0"), kept.find("kind 1"), kept.find("another")].map((found) => found !== null)).toEqual([true, false, true]);
  expect(readdirSync(place)).toHaveLength(8);
  await kept.forget("another");
  expect(readdirSync(place)).toHaveLength(7);
});

test("one that cannot be kept leaves nothing, and the next one is tried", async () => {
  const place = folder();
  const kept = new KeptMachines(place);
  await kept.keep("a", { keep: () => Promise.reject(new Error("no room")) });
  expect([kept.find("a"), readdirSync(place)]).toEqual([null, []]);
  await kept.keep("a", machine());
  expect(kept.find("a")).not.toBeNull();
});
