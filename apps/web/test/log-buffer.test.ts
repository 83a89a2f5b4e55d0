import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createLogBuffer, plainText } from "../src/ui/log/log-buffer.ts";

const time = "2026-01-05T09:30:00.000Z";
const now = (run: () => void) => run();
const texts = (buffer: ReturnType<typeof createLogBuffer>) => buffer.lines.map((line) => line.raw);

describe("the log buffer", () => {
  it("joins chunks into lines and numbers them", () => {
    const buffer = createLogBuffer(now);
    for (const chunk of ["one\ntw", "o\n", "\nfour"]) buffer.append("stdout", time, chunk);
    expect(texts(buffer)).toEqual(["one", "two", "", "four"]);
    expect(buffer.lines.map((line) => line.number)).toEqual([1, 2, 3, 4]);
  });

  it("makes the same lines however the text is cut", () => {
    const part = fc.array(fc.constantFrom("a", "b", "\n", "\r\n", "\u001b[31m", "é"), { maxLength: 40 });
    fc.assert(
      fc.property(part, fc.array(fc.nat(10), { maxLength: 30 }), (pieces, cuts) => {
        const text = pieces.join("");
        const whole = createLogBuffer(now);
        whole.append("stdout", time, text);
        const cut = createLogBuffer(now);
        let rest = text;
        for (const size of cuts) {
          cut.append("stdout", time, rest.slice(0, size));
          rest = rest.slice(size);
        }
        cut.append("stdout", time, rest);
        expect(texts(cut)).toEqual(texts(whole));
      }),
    );
  });

  it("keeps the streams apart when their lines are interleaved", () => {
    const buffer = createLogBuffer(now);
    buffer.append("stdout", time, "half ");
    buffer.append("stderr", time, "error\n");
    buffer.append("stdout", time, "whole\n");
    expect(buffer.lines.map((line) => [line.stream, line.raw])).toEqual([
      ["stdout", "half whole"],
      ["stderr", "error"],
    ]);
    expect(buffer.settled()).toBe(2);
  });

  it("carries a colour over the end of a line", () => {
    const buffer = createLogBuffer(now);
    buffer.append("stdout", time, "\u001b[32mgreen\nstill\n");
    expect(buffer.lines[1]?.before.color).toBe("2");
  });

  it("does not grow with a progress bar that never ends its line", () => {
    const buffer = createLogBuffer(now);
    for (let step = 0; step <= 20_000; step += 1) buffer.append("stderr", time, `\rstep ${step}`);
    expect(buffer.lines).toHaveLength(1);
    expect(buffer.lines[0]?.raw.length).toBeLessThan(10_000);
    expect(plainText(buffer.lines[0] as (typeof buffer.lines)[number])).toBe("step 20000");
  });

  it("shows an endless line in pieces and loses none of it", () => {
    const buffer = createLogBuffer(now);
    buffer.append("stdout", time, "x".repeat(100_000));
    expect(buffer.lines.length).toBeGreaterThan(1);
    expect(texts(buffer).join("")).toBe("x".repeat(100_000));
  });

  it("holds the first lines of an endless log, and counts all of it", () => {
    const buffer = createLogBuffer(now, 3);
    buffer.append("stdout", time, "one\ntwo\nthree\nfour\nfive");
    expect(texts(buffer)).toEqual(["one", "two", "three"]);
    expect([buffer.total(), buffer.settled()]).toEqual([5, 3]);
  });

  it("knows the levels of lines, and the nodes that have written them", () => {
    const buffer = createLogBuffer(now);
    buffer.append("stdout", time, "\u001b[33mWARNING:a:slow\u001b[0m\n\u001b]6277;node=n1\u0007ERROR:a:broken\nERROR: op");
    expect(buffer.lines.map(({ level, nodeId }) => [level, nodeId])).toEqual([
      ["warn", null],
      ["error", "n1"],
      [null, null],
    ]);
    expect([...buffer.nodes()]).toEqual(["n1"]);
    buffer.end();
    expect(buffer.lines[2]?.level).toBe("error");
    for (let node = 1; node <= 300; node += 1) buffer.append("stdout", time, `\u001b]6277;node=n${node}\u0007text\n`);
    expect([buffer.nodes().size, buffer.nodes().has("n200"), buffer.nodes().has("n201")]).toEqual([200, true, false]);
  });

  it("tells its readers, and forgets everything when cleared", () => {
    const buffer = createLogBuffer(now);
    let told = 0;
    const stop = buffer.subscribe(() => (told += 1));
    buffer.append("stdout", time, "a\nb");
    buffer.clear();
    stop();
    buffer.append("stdout", time, "c\n");
    expect(told).toBe(2);
    expect(texts(buffer)).toEqual(["c"]);
  });
});
