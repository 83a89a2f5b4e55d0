import { describe, expect, it } from "vitest";
import { auditQuery, noAuditFilter, readAuditFilter, writeAuditFilter } from "../src/audit/audit-filter.ts";

describe("the filter of the audit page", () => {
  it("survives the address", () => {
    const filter = { q: "ann & co", action: "run.*", outcome: "denied", since: "7d", actor: "user_1", resource: "run_1" };
    expect(readAuditFilter(writeAuditFilter(filter))).toEqual(filter);
    expect(writeAuditFilter(noAuditFilter).size).toBe(0);
  });

  it("leaves out what makes no sense", () => {
    expect(readAuditFilter(new URLSearchParams("outcome=maybe&since=1y&other=1"))).toEqual(noAuditFilter);
  });

  it("asks for whole minutes, so that the same filter is the same question", () => {
    const now = Date.parse("2026-03-01T12:00:59Z");
    expect(auditQuery({ ...noAuditFilter, since: "1h", outcome: "ok" }, now)).toEqual({ since: "2026-03-01T11:00:00.000Z", outcome: "ok" });
    expect(auditQuery(noAuditFilter, now)).toEqual({});
  });
});
