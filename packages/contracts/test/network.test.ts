import { NetworkPolicy, normalizeAllowEntry } from "@syla/contracts/network";
import { RunInput } from "@syla/contracts/runs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";

describe("an entry of an allow list", () => {
  it.each([
    ["example.org", "example.org"],
    ["EXAMPLE.org.", "example.org"],
    ["bücher.example", "xn--bcher-kva.example"],
    ["*.Example.org", "*.example.org"],
    ["example.org:08443", "example.org:8443"],
    ["8.8.8.8", "8.8.8.8"],
    ["8.8.8.8:53", "8.8.8.8:53"],
    ["[2606:4700:0:0::1]", "[2606:4700::1]"],
    ["[2606:4700::1]:443", "[2606:4700::1]:443"],
    ["localhost:8080", "localhost:8080"],
  ])("%s becomes %s", (text, entry) => {
    expect(normalizeAllowEntry(text)).toBe(entry);
  });

  it.each([
    "",
    "*",
    "*.",
    "**.a.org",
    "a.*.org",
    "*a.org",
    "*.8.8.8.8",
    "*.[::1]",
    "a..b",
    "-a.org",
    "a b",
    "a\0",
    "a/b",
    "a?b",
    "a#b",
    "u@a",
    "%61.org",

    "http://a.org",
    "a.org:",
    "a.org:0",
    "a.org:65536",
    "a.org:http",
    "127.1",
    "0x7f.1",
    "2130706433",
    "1.2.3.04",
    "1.2.3",
    "fe80::1",
    "[fe80::1%1]",
    `${"a".repeat(64)}.org`,
    `${"a.".repeat(130)}org`,
  ])("%j is refused", (text) => {
    expect(normalizeAllowEntry(text)).toBeNull();
  });

  it("stays as it is once it has its form", () => {
    fc.assert(
      fc.property(fc.oneof(fc.domain(), fc.string({ unit: "grapheme" })), (text) => {
        const entry = normalizeAllowEntry(text);
        expect(entry === null ? null : normalizeAllowEntry(entry)).toBe(entry);
      }),
    );
  });
});

describe("a network policy", () => {
  it("is one of the words, or a list of 1 to 100 hosts", () => {
    expect(RunInput.parse({ network: { allow: ["A.org"] } }).network).toEqual({ allow: ["a.org"] });
    for (const word of ["none", "gateway", "full"]) expect(NetworkPolicy.parse(word)).toBe(word);
    const many = (count: number) => ({ allow: Array.from({ length: count }, (_, index) => `h${index}.org`) });
    expect(NetworkPolicy.safeParse(many(100)).success).toBe(true);
    for (const bad of [
      "all",
      "",
      null,
      1,
      [],
      ["a.org"],
      {},
      { allow: [] },
      many(101),
      { allow: "a.org" },
      { allow: ["a.org"], deny: [] },
      { allow: [1] },
    ])
      expect([bad, NetworkPolicy.safeParse(bad).success]).toEqual([bad, false]);
  });
});
