import { findAlike } from "@syla/server/catalog/list/alike-words";
import { freeName, freeSlug, nameKey, nameStems, slugify, slugStems } from "@syla/server/catalog/names";
import { soughtWords, toSearchQuery, toSearchVector } from "@syla/server/catalog/search-text";
import { nextVersions, versionKey } from "@syla/server/catalog/versions/numbers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

/** Precedence as the standard says it, part by part. Source: https://semver.org/spec/v2.0.0.html, 11. */
function compare(a: string, b: string): number {
  const [coreA = "", ...restA] = a.split("-");
  const [coreB = "", ...restB] = b.split("-");
  const [numbersA, numbersB] = [coreA, coreB].map((core) => core.split(".").map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (numbersA?.[index] ?? 0) - (numbersB?.[index] ?? 0);
    if (difference !== 0) return Math.sign(difference);
  }
  if (restA.length === 0 || restB.length === 0) return Math.sign(restB.length - restA.length);
  const [labelsA, labelsB] = [restA, restB].map((rest) => rest.join("-").split("."));
  for (let index = 0; ; index++) {
    const [one, other] = [labelsA?.[index], labelsB?.[index]];
    if (one === undefined || other === undefined) return one === other ? 0 : one === undefined ? -1 : 1;
    if (one === other) continue;
    const [isNumber, isOtherNumber] = [one, other].map((label) => /^\d+$/.test(label));
    if (isNumber === true && isOtherNumber === true) return Math.sign(Number(one) - Number(other));
    if (isNumber !== isOtherNumber) return isNumber === true ? -1 : 1;
    return one < other ? -1 : 1;
  }
}

const label = fc.oneof(fc.nat({ max: 20 }).map(String), fc.stringMatching(/^[a-z-][0-9a-z-]{0,3}$/));
const version = fc
  .tuple(fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.nat({ max: 12 }), fc.array(label, { maxLength: 3 }))
  .map(([major, minor, patch, labels]) => `${major}.${minor}.${patch}${labels.length === 0 ? "" : `-${labels.join(".")}`}`);

describe("a version", () => {
  it("sorts as text by its precedence", () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const [keyA, keyB] = [versionKey(a), versionKey(b)];
        expect(Math.sign(Buffer.compare(Buffer.from(keyA), Buffer.from(keyB)))).toBe(compare(a, b));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    [null, { patch: "0.1.0", minor: "0.1.0", major: "1.0.0" }],
    ["1.2.3", { patch: "1.2.4", minor: "1.3.0", major: "2.0.0" }],
    ["2.0.0-beta.1", { patch: "2.0.0", minor: "2.1.0", major: "3.0.0" }],
  ])("after %j is %j", (newest, next) => expect(nextVersions(newest)).toEqual(next));
});

describe("a name", () => {
  it.each([
    ["Wörter & Sätze", "worter-satze"],
    ["  --Já--  ", "ja"],
    ["数据", "program"],
    ["x".repeat(90), "x".repeat(60)],
  ])("%j has the slug %j", (name, slug) => expect(slugify(name, "program")).toBe(slug));

  it("is the same in another case and with other spaces", () => {
    expect(nameKey("  Two\u00a0 WORDS ")).toBe("two words");
    expect(nameKey("ﬁle")).toBe(nameKey("FILE"));
  });

  it("that is taken gives way to one like it, which is never longer than allowed", () => {
    expect(freeName("Sums", new Set(["sums", "sums 2"]))).toBe("Sums 3");
    const long = "😀".repeat(50);
    const free = freeName(long, new Set([nameKey(long)]));
    expect(free.length).toBeLessThanOrEqual(100);
    expect(free.isWellFormed()).toBe(true);
    expect(freeSlug("x".repeat(60), new Set(["x".repeat(60)]))).toBe(`${"x".repeat(58)}-2`);
  });

  it.each([
    "Sums",
    "Sums 2",
    "a\u0301".repeat(50),
    "😀".repeat(50),
    `a${" ".repeat(97)}ΟΣ`,
    "ﬃ".repeat(100),
    "\u1112\u1161\u11ab".repeat(33),
  ])("like %j begins as was said, whatever number it gets", (wish) => {
    const slug = slugify(wish, "program").padEnd(60, "x");
    for (const count of [2, 9, 11, 120]) {
      const names = new Set<string>();
      const slugs = new Set<string>();
      while (names.size < count) names.add(nameKey(freeName(wish, names)));
      while (slugs.size < count) slugs.add(freeSlug(slug, slugs));
      const [, ...others] = names;
      for (const name of others) expect(nameStems(wish).some((stem) => name.startsWith(stem))).toBe(true);
      for (const one of [...slugs].slice(1)) expect(slugStems(slug).some((stem) => one.startsWith(stem))).toBe(true);
    }
  });
});

describe("what is searched", () => {
  it("is words without case and accents, parts of names, and single characters where there are no spaces", () => {
    expect(toSearchVector({ name: "fetchÜber", description: "a", tags: ["x-y"], slots: ["数据"] })).toBe(
      "'fetchuber':1A 'fetch':2A 'uber':3A 'x':5B 'y':6B '数':8B '据':9B 'a':11C",
    );
    const query = (text: string) => toSearchQuery(soughtWords(text));
    expect(query("Fetch données")).toBe("'fetch':* & 'donnees':*");
    expect(query("数据 x")).toBe("('数' <-> '据') & 'x':*");
    expect(query("!?🚀")).toBeNull();
    expect(toSearchQuery(["fetch", "x"], new Map([["fetch", ["fetcher"]]]))).toBe("('fetch':* | 'fetcher':*) & 'x':*");
  });

  it.each([
    ["wether", ["weather"]],
    ["reprot", ["report", "reporting"]],
    ["dtaa", ["data"]],
    ["summraiz", ["summarize"]],
    ["woods", []],
  ])("is %j where %j may have been meant", (typed, meant) => {
    expect(findAlike(typed, ["weather", "report", "reporting", "data", "summarize", "word"])).toEqual(meant);
  });
});
