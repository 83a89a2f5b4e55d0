import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { textOrBase64, Utf8Splitter } from "../../src/runs/utf8-splitter.ts";

/** `bytes` cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const bounds = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return bounds.slice(1).map((end, index) => bytes.subarray(bounds[index], end));
}

function split(chunks: readonly Buffer[]): { pieces: Buffer[]; rest: Buffer } {
  const splitter = new Utf8Splitter();
  const pieces = chunks.map((chunk) => splitter.push(chunk));
  return { pieces, rest: splitter.end() };
}

const places = fc.array(fc.nat(), { maxLength: 20 });

describe("Utf8Splitter", () => {
  it("gives back the same bytes, whatever they are and wherever they are cut", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), places, (bytes, cuts) => {
        const { pieces, rest } = split(cut(Buffer.from(bytes), cuts));
        expect(Buffer.concat([...pieces, rest])).toEqual(Buffer.from(bytes));
        expect(rest.length).toBeLessThanOrEqual(3);
      }),
      { numRuns: 500 },
    );
  });

  it("never ends a piece of valid text inside a sequence, and keeps nothing back at the end", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 60 }), places, (text, cuts) => {
        const { pieces, rest } = split(cut(Buffer.from(text), cuts));
        expect(pieces.map((piece) => piece.toString()).join("")).toBe(text);
        for (const piece of pieces) expect(textOrBase64(piece)).toHaveProperty("text");
        expect(rest).toHaveLength(0);
      }),
      { numRuns: 500 },
    );
  });

  it("does not wait for what cannot complete a sequence", () => {
    expect(new Utf8Splitter().push(Buffer.from([0x80, 0x80, 0x80, 0x80]))).toHaveLength(4);
    expect(new Utf8Splitter().push(Buffer.from([0xe2, 0x82]))).toHaveLength(0);
    expect(new Utf8Splitter().push(Buffer.from([0xff]))).toHaveLength(0);
    const splitter = new Utf8Splitter();
    splitter.push(Buffer.from([0x41, 0xf0]));
    expect(splitter.end()).toEqual(Buffer.from([0xf0]));
    expect(splitter.end()).toHaveLength(0);
  });
});

describe("textOrBase64", () => {
  it("keeps text as text and other bytes exactly", () => {
    expect(textOrBase64(Buffer.from("grüß 🙂\0"))).toEqual({ text: "grüß 🙂\0" });
    const bytes = Buffer.from([0xff, 0x00, 0xc3]);
    expect(textOrBase64(bytes)).toEqual({ base64: bytes.toString("base64") });
  });
});
