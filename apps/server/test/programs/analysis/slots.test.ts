import { describe, expect, it } from "vitest";
import { analyseAll, importAllForReal } from "./analyse-here.ts";
import { findWrong, verdictsOf } from "./compare-slots.ts";
import { slotCases } from "./slot-cases.ts";

const trees = slotCases.map(({ tree }) => tree);

describe("slots", () => {
  const documents = analyseAll(trees);
  const real = importAllForReal(trees);

  it.each(slotCases.map((entry, index) => ({ ...entry, index })))("$title", ({ slots, index }) => {
    const document = documents[index];
    if (document === undefined) throw new Error("it was not analysed");
    expect(verdictsOf(document)).toEqual(slots);
    expect(findWrong(document, real[index] ?? [])).toEqual([]);
  });
});
