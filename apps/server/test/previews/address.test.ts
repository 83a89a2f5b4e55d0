import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parsePreviewHost, previewUrl } from "../../src/previews/address.ts";
import { requestHeaders, responseHeaders } from "../../src/previews/headers.ts";

const token = "0123456789abcdef0123456789abcdef";

describe("the name of a preview", () => {
  it.each(["http://localhost:7879", "https://previews.example"])("is read as it was written, below %s", (base) => {
    const url = new URL(previewUrl(base, { port: 8000, token }));
    expect(url.origin).toBe(base.replace("//", `//8000-${token}.`));
    expect(parsePreviewHost(url.host, base)).toEqual({ port: 8000, token });
    expect(parsePreviewHost(url.host.toUpperCase(), base)).toEqual({ port: 8000, token });
  });

  it("is nothing else", () => {
    const base = "http://localhost:1";
    for (const host of [
      undefined,
      "",
      "localhost",
      `8000-${token}`,
      `0-${token}.localhost`,
      `8000-${token}.localhost.`,
      `x.8000-${token}.localhost`,
      `8000-${token}.localhost@evil`,
    ])
      expect(parsePreviewHost(host, base)).toBeNull();
    fc.assert(fc.property(fc.string(), (host) => parsePreviewHost(host, base) === null));
  });
});

describe("headers", () => {
  it("of any kind keep their pairs, and those of one connection never pass", () => {
    const header = fc.tuple(fc.constantFrom("Connection", "X-A", "Cookie", "Upgrade", "TE", "Set-Cookie", "Forwarded"), fc.string());
    fc.assert(
      fc.property(fc.array(header), (given) => {
        const origin = { host: "h", address: "a", scheme: "http" };
        for (const told of [requestHeaders(given.flat(), origin, false), responseHeaders(given.flat())]) {
          const names = told.filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase());
          expect(told.length % 2).toBe(0);
          expect(names).not.toContain("te");
          expect(names).not.toContain("upgrade");
        }
      }),
    );
  });
});
