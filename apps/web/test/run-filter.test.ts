import { RunFilter } from "@syla/contracts/runs";
import { describe, expect, it } from "vitest";
import { isFiltered, readRunFilter, runListQuery, writeRunFilter } from "../src/runs/list/run-filter.ts";

const read = (search: string) => readRunFilter(new URLSearchParams(search));

describe("the filters in the address", () => {
  it("survive a round trip", () => {
    const search = "status=failed%2Ctimed_out&language=python&since=24h&q=main";
    expect(writeRunFilter(read(search)).toString()).toBe(search);
    expect(isFiltered(read(search))).toBe(true);
  });

  it("leave out what makes no sense", () => {
    expect(writeRunFilter(read("status=nonsense,failed&since=yesterday&page=3")).toString()).toBe("status=failed");
    expect(isFiltered(read(""))).toBe(false);
  });

  it("ask the server a question that its contract accepts", () => {
    const now = Date.parse("2026-01-05T12:00:30.500Z");
    const query = runListQuery(read("status=queued,running&language=node&since=1h&q=x"), now, false);
    expect(query).toEqual({ limit: 100, status: "queued,running", language: "node", since: "2026-01-05T11:00:00.000Z", q: "x" });
    expect(RunFilter.parse(query)).toMatchObject({ limit: 100 });
  });
});
