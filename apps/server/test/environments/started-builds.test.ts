import { expect, test } from "vitest";
import { BuildTurns } from "../../src/environments/build-turns.ts";
import { StartedBuilds } from "../../src/environments/started-builds.ts";

test("a person has three builds begun at once, each counted once, and may begin another when one is done", () => {
  const builds = new StartedBuilds();
  const [first] = ["a", "b", "c"].map((id) => builds.begin("ann", id));
  expect(builds.begin("ann", "a")).toBeNull();
  expect(() => builds.begin("ann", "d")).toThrow(expect.objectContaining({ code: "queue_full", retryAfter: 10 }));
  expect(() => builds.requireRoom("ann")).toThrow(expect.objectContaining({ code: "queue_full" }));
  expect(builds.begin("bob", "d")).not.toBeNull();
  first?.end();
  expect(builds.begin("ann", "d")).not.toBeNull();
});

test("builds go on in turn between people, and one person's never keep another's waiting", async () => {
  const turns = new BuildTurns();
  const [ann, bob] = [new Set(["ann"]), new Set(["bob"])];
  const order: string[] = [];
  const never = new AbortController().signal;
  const enter = (name: string, people: ReadonlySet<string>, signal = never) =>
    turns.enter(people, signal).then((leave) => {
      order.push(name);
      return leave;
    });
  const first = await enter("a1", ann);
  const second = await enter("a2", ann);
  const [third, fourth] = [enter("a3", ann), enter("a4", ann)];
  const his = await enter("b1", bob); // although both places are hers
  const hisNext = enter("b2", bob);
  first();
  second();
  his();
  for (const [leave, name] of [
    [third, "a3"],
    [hisNext, "b2"],
    [fourth, "a4"],
  ] as const) {
    (await leave)();
    expect(order).toContain(name);
  }
  expect(order).toEqual(["a1", "a2", "b1", "a3", "b2", "a4"]);
});

test("a build that is given up leaves its turn to the next; one that somebody else waits for too comes forward", async () => {
  const turns = new BuildTurns();
  const leaves = [
    await turns.enter(new Set(["ann"]), AbortSignal.timeout(60_000)),
    await turns.enter(new Set(["ann"]), AbortSignal.timeout(60_000)),
  ];
  const given = new AbortController();
  const waiting = turns.enter(new Set(["ann"]), given.signal);
  given.abort(new Error("given up"));
  await expect(waiting).rejects.toThrow("given up");
  const people = new Set(["ann"]);
  const shared = turns.enter(people, AbortSignal.timeout(60_000));
  people.add("bob");
  turns.reconsider();
  leaves.push(await shared);
  for (const leave of leaves) leave();
  await expect(turns.enter(new Set(["ann"]), AbortSignal.abort(new Error("too late")))).rejects.toThrow("too late");
});
