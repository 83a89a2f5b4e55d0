import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { applySgr, parseAnsi, plainStyle, stripAnsi, styleAfter } from "@syla/contracts/ansi";

const esc = "\u001b";

function textOf(raw: string): string {
  return parseAnsi(raw, plainStyle)
    .segments.map((segment) => segment.text)
    .join("");
}

describe("SGR", () => {
  it("reads the sixteen colours, bright ones and resets", () => {
    const { segments, after } = parseAnsi(`a${esc}[31mb${esc}[1;92mc${esc}[0md`, plainStyle);
    expect(segments.map(({ text, style }) => [text, style.color, style.bold])).toEqual([
      ["a", null, false],
      ["b", "1", false],
      ["c", "10", true],
      ["d", null, false],
    ]);
    expect(after).toEqual(plainStyle);
  });

  it("reads 256 colours (palette, cube, greys) and true colours", () => {
    expect(applySgr(plainStyle, "38;5;9").color).toBe("9");
    expect(applySgr(plainStyle, "38;5;208").color).toBe("#ff8700");
    expect(applySgr(plainStyle, "48;5;244").background).toBe("#808080");
    expect(applySgr(plainStyle, "38;2;1;2;300").color).toBe("#0102ff");
  });

  it("carries the look from line to line", () => {
    expect(styleAfter(`${esc}[4mopen`, plainStyle).underline).toBe(true);
  });
});

describe("what is not a colour", () => {
  it("drops cursor movement, titles, links and control characters", () => {
    expect(stripAnsi(`${esc}[2J${esc}[10;5Hx${esc}]0;title\u0007y${esc}]8;;http://a${esc}\\z\u0007\u0000`)).toBe("xyz");
  });

  it("overwrites after a carriage return and a backspace, and erases", () => {
    expect(textOf("10 %\r55 %\r100 %")).toBe("100 %");
    expect(textOf("abcdef\rXY")).toBe("XYcdef");
    expect(textOf(`abcdef\rXY${esc}[K`)).toBe("XY");
    expect(textOf("ab\bc")).toBe("ac");
  });

  it("leaves no control character in any text, and never throws", () => {
    const hostile = fc
      .array(
        fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom(esc, "[", "]", "38;5;", "m", "K", "\r", "\b", "\u0007", ";", "999999999")),
      )
      .map((parts) => parts.join("").replaceAll("\n", ""));
    fc.assert(
      fc.property(hostile, (raw) => {
        expect(textOf(raw)).not.toMatch(/[\u0000-\u0008\u000a-\u001f\u007f]/);
        expect(stripAnsi(raw)).toBe(textOf(raw));
      }),
    );
  });
});
