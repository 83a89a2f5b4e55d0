import { readFileSync } from "node:fs";
import { join } from "node:path";
import { AppError, type ErrorCode, type ErrorEntry, errorCatalog } from "@syla/contracts/errors";
import { describe, expect, it } from "vitest";

const reference = readFileSync(join(import.meta.dirname, "../../../docs/errors.gen.md"), "utf8");
const entries: [string, ErrorEntry][] = Object.entries(errorCatalog);

describe("the catalogue", () => {
  it("is documented, every code, and nothing else is", () => {
    const documented = [...reference.matchAll(/^\| `(\w+)` \|/gm)].map((match) => match[1]);
    expect(new Set(documented)).toEqual(new Set(Object.keys(errorCatalog)));
    expect(documented).toHaveLength(entries.length);
  });

  it.each(entries)("%s has a plain code, a sentence and advice", (code, entry) => {
    expect(code).toMatch(/^[a-z]+(_[a-z]+)*$/);
    expect(entry.message).toMatch(/^[A-Z].*\.$/);
    expect(entry.hint).toMatch(/\.$/);
    expect(entry.status === 200 || (entry.status >= 400 && entry.status < 600)).toBe(true);
  });

  it("asks for a retry time exactly where a retry helps", () => {
    const tooMany = entries.filter(([, entry]) => entry.status === 429).map(([code]) => code);
    for (const code of tooMany) expect(errorCatalog[code as ErrorCode].hint).toContain("Retry-After");
  });
});

describe("AppError", () => {
  it("takes sentence, advice and status from the catalogue", () => {
    const error = new AppError("not_found");
    expect(error).toMatchObject({ name: "AppError", code: "not_found", status: 404, ...pick("not_found"), fields: [], details: {} });
    expect(error.retryAfter).toBeUndefined();
    expect(error).toBeInstanceOf(Error);
    expect("cause" in error).toBe(false);
  });

  it("can say it more exactly", () => {
    const cause = new Error("ENOENT");
    const fields = [{ path: "files.0.path", message: "must not contain `..`" }];
    const error = new AppError("invalid_path", {
      message: "Bad path.",
      hint: "Fix it.",
      fields,
      details: { known: 1 },
      cause,
      retryAfter: 3,
    });
    expect(error).toMatchObject({
      status: 400,
      message: "Bad path.",
      hint: "Fix it.",
      fields,
      details: { known: 1 },
      cause,
      retryAfter: 3,
    });
  });
});

function pick(code: ErrorCode): { message: string; hint: string } {
  const { message, hint } = errorCatalog[code];
  return { message, hint };
}
