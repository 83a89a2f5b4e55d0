import { expect, test } from "vitest";
import { placeOf, placeOfRow, Warmth } from "../../src/runs/warmth.ts";

const place = (ownerId: string, language = "python", environmentId: string | null = null) =>
  placeOf({ ownerId, language, program: { environmentId } });

test("a worker leaves to others for a moment what they have ready and it has not", () => {
  const tenants = new Set(["user_ann", "user_bob"]);
  const warmth = new Warmth(() => tenants);
  warmth.note(place("user_ann"));
  const others = [place("user_ann"), place("user_carl"), place("user_ann", "python", "env_1")];
  expect(warmth.delayMs([place("user_carl")], 0)).toBe(0); // alone
  warmth.learn([{ slots: 0, warm: others }]);
  expect(warmth.delayMs([place("user_carl")], 1)).toBe(0); // the other one takes nothing
  warmth.learn([{ slots: 2, warm: others }]);
  expect(warmth.delayMs([place("user_ann")], 0)).toBe(0);
  expect(warmth.delayMs([place("user_carl")], 0)).toBe(100);
  expect(warmth.delayMs([place("user_ann", "python", "env_1")], 0)).toBe(100);
  expect(warmth.delayMs([place("user_dan")], 0)).toBe(0); // nobody has it
  expect(warmth.delayMs([place("user_carl"), place("user_dan")], 0)).toBe(0);
  expect(warmth.delayMs([], 0)).toBe(0); // it may be anything
  expect(warmth.delayMs([place("user_ann")], 0.5)).toBe(10);
});

test("it tells what it has had a sandbox for, the newest first, as long as that person has one", () => {
  const tenants = new Set(["user_ann", "user_bob"]);
  const warmth = new Warmth(() => tenants);
  for (const person of ["user_ann", "user_bob", "user_ann"]) warmth.note(place(person));
  expect(warmth.tell()).toEqual([place("user_ann"), place("user_bob")]);
  tenants.delete("user_ann");
  expect(warmth.tell()).toEqual([place("user_bob")]);
  for (let count = 0; count < 3000; count += 1) warmth.note(place("user_bob", `language ${count}`));
  expect(warmth.tell()).toHaveLength(200);
  expect(warmth.tell()[0]).toBe(place("user_bob", "language 2999"));
});

test("a row has the place of the run that it was made from", () => {
  const config = { program: { environmentId: "env_1" } };
  expect(placeOfRow({ owner_id: "user_ann", language: "python", config })).toBe(place("user_ann", "python", "env_1"));
  for (const odd of [null, {}, { program: null }, { program: 7 }])
    expect(placeOfRow({ owner_id: "user_ann", language: "python", config: odd })).toBe(place("user_ann"));
});
