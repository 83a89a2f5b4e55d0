import { describe, expect, it, onTestFinished, vi } from "vitest";
import { createLogBuffer } from "../src/ui/log/log-buffer.ts";
import { createTextMatcher } from "@syla/contracts/log-search";
import { createLogSearch as createSearch, includesSorted, type LogFilter, markPiece, noFilter } from "../src/ui/log/log-search.ts";

import { readFilter, writeFilter } from "../src/runs/log-filter.ts";

const time = "2026-01-05T09:30:00.000Z";

const createLogSearch = (buffer: ReturnType<typeof createLogBuffer>, { query = "", ...filter }: Partial<LogFilter>) =>
  createSearch(buffer, { ...noFilter, ...filter }, query === "" ? null : createTextMatcher(query, false));

function filled() {
  const buffer = createLogBuffer((run) => run());
  buffer.append("stdout", time, "Alpha\nbeta\n");
  buffer.append("stderr", time, "alpha error\n");
  return buffer;
}

describe("the search of a log", () => {
  it("counts matching lines without regard to case", () => {
    expect(createLogSearch(filled(), { stream: "all", query: "ALPHA" })()).toEqual({ rows: null, matches: [0, 2], complete: true });
  });

  it("filters by stream and counts in what is left", () => {
    expect(createLogSearch(filled(), { stream: "stderr", query: "error" })()).toEqual({ rows: [2], matches: [0], complete: true });
  });

  it("finds what is added later, also on a line that was still open", () => {
    const buffer = filled();
    const read = createLogSearch(buffer, { stream: "all", query: "alphabet" });
    expect(read().matches).toEqual([]);
    buffer.append("stdout", time, "alpha");
    expect(read().matches).toEqual([]);
    buffer.append("stderr", time, "between\n");
    buffer.append("stdout", time, "bet\n");
    expect(read().matches).toEqual([3]);
    expect(read().matches).toEqual([3]);
  });

  it("stops when it has taken a while, and goes on where it was", () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const buffer = createLogBuffer((run) => run());
    const text = Array.from({ length: 1000 }, (_, line) => `line ${line}\n`).join("");
    buffer.append("stdout", time, text);
    const matcher = createTextMatcher("9", false);
    const read = createSearch(buffer, { stream: "stdout" }, (line) => (vi.advanceTimersByTime(0.1), matcher(line)));
    const views = [read(), read()];
    buffer.append("stdout", time, text);
    while (views.at(-1)?.complete !== true) views.push(read());
    expect(views.map(({ rows }) => rows?.length)).toEqual([200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800, 2000]);
    expect(views.at(-1)?.matches).toEqual(buffer.lines.flatMap(({ raw }, index) => (raw.includes("9") ? [index] : [])));
  });

  it("looks through colours", () => {
    const buffer = createLogBuffer((run) => run());
    buffer.append("stdout", time, "\u001b[36mline\u001b[0m 29\n");
    expect(createLogSearch(buffer, { stream: "all", query: "line 29" })().matches).toEqual([0]);
  });
});

describe("the filter of a log in an address", () => {
  it("comes back as it was, beside what else is there", () => {
    const filter: LogFilter = { stream: "stderr", level: "warn", node: "n1", query: "a b&c", regex: true, matchCase: true };
    const search = writeFilter(new URLSearchParams("tab=log"), filter);
    expect(search.get("tab")).toBe("log");
    expect(readFilter(new URLSearchParams(search.toString()))).toEqual(filter);
    expect(writeFilter(search, noFilter).toString()).toBe("tab=log");
  });

  it("is nothing where the address makes no sense", () => {
    expect(readFilter(new URLSearchParams("output=stdin&level=loud&regex=yes&node="))).toEqual(noFilter);
  });
});

describe("marks", () => {
  it("cuts a match that goes over two pieces", () => {
    const matches = createTextMatcher("ne 2", false)("line 29");
    expect(markPiece("line", 0, matches)).toEqual([
      { text: "li", marked: false },
      { text: "ne", marked: true },
    ]);
    expect(markPiece(" 29", 4, matches)).toEqual([
      { text: " 2", marked: true },
      { text: "9", marked: false },
    ]);
  });

  it("finds in ascending lists", () => {
    expect([0, 3, 4, 9].map((value) => includesSorted([0, 4, 9], value))).toEqual([true, false, true, true]);
    expect(includesSorted([], 1)).toBe(false);
  });
});
