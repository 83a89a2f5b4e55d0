import fc from "fast-check";
import { expect, test } from "vitest";
import { createTerminalFilter, plainLine } from "../src/output/terminal-text.ts";

const filter = (...pieces: string[]) => {
  const terminal = createTerminalFilter();
  return pieces.map((piece) => terminal.push(piece)).join("");
};

test.each([
  ["text, tabs and line ends stay", "a\tb\r\nä 🌱\n", "a\tb\r\nä 🌱\n"],
  ["colours stay", "\x1b[1;38;5;9mred\x1b[0m", "\x1b[1;38;5;9mred\x1b[0m"],
  ["window titles go", "\x1b]0;pwned\x07text", "text"],
  ["the clipboard is not written (OSC 52)", "\x1b]52;c;ZXZpbA==\x1b\\text", "text"],
  ["links are taken off their text", "\x1b]8;;http://evil\x07click\x1b]8;;\x07", "click"],
  ["the screen is not wiped nor the cursor moved", "\x1b[2J\x1b[H\x1b[10Atext", "text"],
  ["answers are not asked for", "\x1b[6n\x1b[c\x1b[>0c\x05text", "text"],
  ["device control and privacy strings go", "\x1bPq#0\x1b\\\x1b^x\x1b\\\x1b_y\x1b\\\x1bXz\x1b\\text", "text"],
  ["8-bit controls go", "\u009b2J\u009d0;title\u009ctext\u0090x\u009c!", "text!"],
  ["character sets are not switched", "\x1b(0\x0etext\x0f", "text"],
  ["the terminal is not reset", "\x1bctext", "text"],
  ["bells, backspaces, NUL and DEL go", "a\x07\x08\x00\x7fb", "ab"],
  ["private modes go", "\x1b[?1049htext\x1b[?25l", "text"],
  ["a colour with a foreign parameter goes", "\x1b[>4;1mtext", "text"],
  ["reordering of text goes", "ab\u202edc\u2066", "abdc"],
  ["an interrupted sequence does not swallow the line end", "\x1b[12\ntext", "\ntext"],
])("%s", (_, input, output) => {
  expect(filter(input)).toBe(output);
  expect(filter(...Array.from(input))).toBe(output);
});

test("colours are put back at the end, if there were any", () => {
  const terminal = createTerminalFilter();
  terminal.push("plain");
  expect(terminal.end()).toBe("");
  terminal.push("\x1b[31m");
  expect(terminal.end()).toBe("\x1b[0m");
});

const hostile = fc.string({
  unit: fc.constantFrom("\x1b", "[", "]", "P", "\\", "m", "0", ";", "\x07", "\u009b", "\u009d", "\u009c", "?", "a", "\n", "(", "\x18", "é"),
});

test("whatever comes in, nothing but text, line ends and colours comes out", () => {
  fc.assert(
    fc.property(fc.oneof(hostile, fc.string({ unit: "binary" })), (input) => {
      const rest = filter(input).replaceAll(/\x1b\[[0-9;:]*m/g, "");
      expect(rest).not.toMatch(/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
    }),
  );
});

test("how the text is cut makes no difference", () => {
  fc.assert(
    fc.property(hostile, fc.nat(40), (input, at) => {
      expect(filter(input.slice(0, at), input.slice(at))).toBe(filter(input));
    }),
  );
});

test("quoted text is one line without colours", () => {
  expect(plainLine("a\x1b[31mb\nc\td\x1b]0;x\x07")).toBe("ab c d");
});
