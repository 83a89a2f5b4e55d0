import { setTimeout as sleep } from "node:timers/promises";
import { seededRandom } from "@syla/testkit/seeded-random";
import { describe, expect, test } from "vitest";
import { createTier } from "../sandbox-driver.ts";
import { takeCensus, type Census } from "./census.ts";
import { fillSlots, performRuns } from "./workload.ts";

/** `npm run long` sets these; as part of the ordinary tests a small seed runs. */
const runs = Number(process.env["SYLA_LONG_RUNS"] ?? 250);
const seed = Number(process.env["SYLA_LONG_SEED"] ?? 1);
const clients = 8;
/** So few that demand changes nothing: the machine is to be compared with itself. */
const slotsPerJail = 2;

/** What is taken when it is there: descriptors that Node opens and closes as it likes settle within a moment. */
async function settled(folder: string, wanted: (census: Census) => boolean): Promise<Census> {
  for (let tries = 100; ; tries -= 1) {
    const census = takeCensus(folder);
    if (tries === 0 || wanted(census)) return census;
    await sleep(50);
  }
}

const alike = (a: Census, b: Census): boolean => JSON.stringify(a) === JSON.stringify(b);

function printCensuses(rows: Readonly<Record<string, Census>>): void {
  const names = Object.keys(rows["warm"] ?? {}) as (keyof Census)[];
  const lines = Object.entries(rows).map(([name, census]) => [name, ...names.map((key) => census[key])].join(" | "));
  process.stdout.write(
    `\n| moment | ${names.join(" | ")} |\n|---${"|---:".repeat(names.length)}|\n${lines.map((line) => `| ${line} |\n`).join("")}`,
  );
}

describe(`${runs} runs of every kind (seed ${seed})`, () => {
  for (const withoutCgroups of [false, true])
    test(`leave nothing behind, ${withoutCgroups ? "without" : "with"} control groups`, { timeout: 60_000 + runs * 300 }, async () => {
      const random = seededRandom(seed);
      {
        await using first = createTier({ withoutCgroups, slotsPerJail, maxSpares: 0 });
        await performRuns(first.tier, 20, clients, random); // what Node and its modules keep for good
      }
      await using opened = createTier({ withoutCgroups, slotsPerJail, maxSpares: 0 });
      const { tier, folder } = opened;
      const before = takeCensus(folder);
      await fillSlots(tier, slotsPerJail);
      await performRuns(tier, 50, clients, random);
      await sleep(1000);
      const warm = takeCensus(folder);
      const began = performance.now();
      const done = await performRuns(tier, runs, clients, random);
      const seconds = (performance.now() - began) / 1000;
      const idle = await settled(folder, (census) => alike(census, warm));
      await tier.stop();
      const after = await settled(folder, (census) => alike(census, { ...before, tempFiles: 0 }));
      printCensuses({ "before the first": before, warm, [`after ${runs} more`]: idle, stopped: after });
      process.stdout.write(
        `${runs} runs in ${seconds.toFixed(1)} s: ${[...done].map(([name, count]) => `${count} ${name}`).join(", ")}\n\n`,
      );
      expect(idle).toEqual(warm);
      expect(idle.zombies).toBe(0);
      expect(after).toEqual({ ...before, tempFiles: 0 });
    });
});
