import fc from "fast-check";
import { expect, test } from "vitest";
import { Secret } from "../../src/platform/secret.ts";
import { ByteAutomaton } from "../../src/runs/byte-automaton.ts";
import { createRedactor, redactText, secretForms } from "../../src/runs/secret-redactor.ts";

/** Looks at every place; what overlaps is one. */
function without(text: string, values: readonly string[]): string {
  const owners = Array.from(text, () => -1);
  let from = 0;
  for (let at = 0, end = 0, count = 0; at < text.length; at += 1) {
    const length = Math.max(0, ...values.filter((value) => text.startsWith(value, at)).map((value) => value.length));
    if (length > 0 && at >= end) {
      count += 1;
      from = at;
    }
    if (length > 0) owners.fill(count, from, (end = Math.max(end, at + length)));
  }
  return Array.from(text, (char, at) => (owners[at] === -1 ? char : owners[at] === owners[at - 1] ? "" : "[secret]")).join("");
}

function through(values: readonly string[], pieces: readonly Buffer[]): string {
  const redactor = createRedactor(secretForms(values.map((value) => new Secret(value))));
  return Buffer.concat([...pieces.map((piece) => redactor.push(piece)), redactor.end()]).toString("latin1");
}

const value = 'pass word/+=é"1(~';
const bytes = Buffer.from(value);
const pairs = bytes.toString("hex").match(/../g) ?? [];
const pem = `-----BEGIN PRIVATE KEY-----\n${Array.from({ length: 6 }, (_, line) => `${line}`.repeat(64)).join("\n")}\n-----END PRIVATE KEY-----`;

test.each([
  ["as it is", Buffer.from(value)],
  ["in a URL", Buffer.from(encodeURIComponent(value))],
  ["in JSON", Buffer.from(JSON.stringify({ a: value }))],
  ["in hexadecimal", Buffer.from(Buffer.from(value).toString("hex"))],
  ["in base64", Buffer.from(Buffer.from(value).toString("base64"))],
  ["backwards", Buffer.from(Array.from(value).toReversed().join(""))],
  ["in JSON that is ASCII", Buffer.from('{"a": "pass word/+=\\u00e9\\"1(~"}')],
  ["in JSON that is ASCII, with slashes escaped", Buffer.from('{"a": "pass word\\/+=\\u00E9\\"1(~"}')],
  ["in a URL of Python", Buffer.from("pass%20word%2F%2B%3D%C3%A9%221%28~")],
  ["in a path of Python", Buffer.from("pass%20word/%2B%3D%C3%A9%221%28~")],
  ["in a form", Buffer.from(new URLSearchParams({ a: value }).toString())],
  ["in a URL with every byte encoded", Buffer.from(pairs.map((pair) => `%${pair}`).join(""))],
  ["in hexadecimal with spaces", Buffer.from(pairs.join(" "))],
  ["in hexadecimal with colons", Buffer.from(pairs.join(":").toUpperCase())],
  ["in bytes as C writes them", Buffer.from(pairs.map((pair) => `\\x${pair}`).join(""))],
  ["in base64 for URLs", Buffer.from(Buffer.from(value).toString("base64url"))],
  ["in the base64 of something longer", Buffer.from(Buffer.from(`user:${value}@host`).toString("base64"))],
  ["in the base64 of something longer by another start", Buffer.from(Buffer.from(`ab${value}`).toString("base64"))],
])("a secret is taken out %s", (_what, text) => {
  const out = through([value], [text]);
  expect(out).toContain("[secret]");
  expect(out.length).toBeLessThan(text.length + 8);
  const byOne = through(
    [value],
    Array.from(text, (byte) => Buffer.from([byte])),
  );
  expect(byOne).toBe(out);
});

test("a key of several lines is taken out as a whole, line by line, and in base64 that is broken into lines", () => {
  expect(through([pem], [Buffer.from(`a ${pem} b`)])).toBe("a [secret] b");
  const lines = pem.split("\n");
  expect(through([pem], [Buffer.from(lines.map((line) => `> ${line}`).join("\n"))])).toBe(
    [`> ${lines[0]}`, ...Array(6).fill("> [secret]"), `> ${lines.at(-1)}`].join("\n"),
  );
  for (const length of [76, 64]) {
    const broken = Buffer.from(pem)
      .toString("base64")
      .replaceAll(new RegExp(`.{${length}}`, "g"), "$&\n");
    expect(through([pem], [Buffer.from(broken)])).toMatch(/^\[secret\]=*\n?$/);
  }
});

test("a long secret is found in whatever pieces a text comes that is made of its own beginnings", () => {
  const long = `${"a".repeat(90)}b${"a".repeat(90)}`;
  const piece = fc.oneof(fc.constantFrom("a".repeat(89), "a".repeat(90), "a".repeat(91), "b", "ab", long), fc.string({ maxLength: 3 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), fc.array(fc.nat(120), { maxLength: 10 }), (texts, cuts) => {
      const whole = Buffer.from(texts.join(""), "latin1");
      const pieces: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(whole.subarray(at, (at += cut)));
      pieces.push(whole.subarray(at));
      expect(through([long], pieces)).toBe(without(whole.toString("latin1"), [long]));
    }),
  );
});

test("many secrets cost no more than one: a text is gone through once", () => {
  const many = Array.from({ length: 100 }, (_, index) => `secret number ${index} ${"x".repeat(index)}`);
  const text = Buffer.from(`${"all the other words ".repeat(50)}${many[7]} and ${Buffer.from(many[93] ?? "").toString("base64")}.`);
  expect(through(many, [text])).toMatch(/^(all the other words )+\[secret\] and \[secret\]\S*\.$/);
});

test("an automaton finds the longest of its strings that ends at each place, in whatever pieces the text comes", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 2, maxLength: 8 });
  const text = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 40 });
  fc.assert(
    fc.property(fc.array(word, { maxLength: 12 }), fc.array(text, { maxLength: 4 }), (words, pieces) => {
      const automaton = new ByteAutomaton(words.map((each) => Buffer.from(each)));
      const found: string[] = [];
      const expected: string[] = [];
      let state = 0;
      let before = "";
      for (const piece of pieces) {
        const base = before.length;
        state = automaton.read(Buffer.from(piece), state, (end, length) => found.push(`${base + end} ${length}`));
        before += piece;
        const begun = words.flatMap((each) => Array.from(each, (_, at) => each.slice(0, at + 1)));
        const longest = begun.filter((each) => before.endsWith(each)).toSorted((a, b) => b.length - a.length)[0] ?? "";
        // Which of them waits for more is what may not be shown yet.
        expect(automaton.beginning(state).toString()).toBe(longest);
      }
      for (let end = 1; end <= before.length; end += 1) {
        const length = Math.max(0, ...words.filter((each) => before.slice(0, end).endsWith(each)).map((each) => each.length));
        if (length > 0) expected.push(`${end} ${length}`);
      }
      expect(found).toEqual(expected);
    }),
  );
});

test("secrets that overlap are taken out together, in whatever pieces they come", () => {
  const values = ["abab", "babaab", "aabbaabb", "abababbb", "bbbb"];
  const forms = values.flatMap((each) => [each, Array.from(each).toReversed().join("")]);
  const text = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 30 });
  fc.assert(
    fc.property(fc.array(text, { maxLength: 5 }), (pieces) => {
      const expected = without(pieces.join(""), forms);
      expect(
        through(
          values,
          pieces.map((piece) => Buffer.from(piece)),
        ),
      ).toBe(expected);
      expect(redactText(pieces.join(""), secretForms(values.map((each) => new Secret(each))))).toBe(expected);
    }),
  );
});

test("of secrets too long for every form, the usual forms are taken out, and every form of the short ones", () => {
  const long = Array.from({ length: 12 }, (_, index) => `${index}?`.repeat(8192).slice(0, 16_384));
  const hex = Buffer.from("short one").toString("hex");
  const said = [
    long.at(-1),
    long[0],
    hex,
    Buffer.from(long[0] ?? "")
      .toString("hex")
      .slice(0, 9),
    encodeURIComponent(long[0] ?? ""),
  ].join(" ");
  expect(through([...long, "short one"], [Buffer.from(said)])).toBe("[secret] [secret] [secret] 303f303f3 [secret]");
});

test("of two secrets of which one begins like the other both are taken out", () => {
  const values = ["abcdef", "abcdefghij"];
  expect(through(values, [Buffer.from("1 abcdef 2 abcdefghij 3 abcdefgh 4")])).toBe("1 [secret] 2 [secret] 3 [secret]gh 4");
  expect(through(values, [Buffer.from("x abcdef"), Buffer.from("ghij y abcd")])).toBe("x [secret] y abcd");
});

test("whatever pieces the bytes come in, the same comes out, and never the secret", () => {
  const piece = fc.oneof(fc.constantFrom("topsecret", "tops", "ecret", "secrettop", "t", " "), fc.string({ maxLength: 5 }));
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), fc.array(fc.nat(20), { maxLength: 12 }), (texts, cuts) => {
      const whole = Buffer.from(texts.join(""));
      const pieces: Buffer[] = [];
      let at = 0;
      for (const cut of cuts) pieces.push(whole.subarray(at, (at += cut)));
      pieces.push(whole.subarray(at));
      const out = through(["topsecret"], pieces);
      expect(out).toBe(through(["topsecret"], [whole]));
      expect(out).not.toContain("topsecret");
      expect(out).toBe(whole.toString("latin1").replaceAll("topsecret", "[secret]"));
    }),
  );
});

test("without a secret, or with one that is too short to be told, nothing changes", () => {
  expect(through([], [Buffer.from("abc")])).toBe("abc");
  expect(through(["ab"], [Buffer.from("abc")])).toBe("abc");
});
