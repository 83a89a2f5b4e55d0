import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizeAllowEntry } from "@syla/contracts/network";
import { parseAbsoluteForm } from "../../src/egress/http-requests.ts";
import { compilePolicy } from "../../src/egress/policy.ts";
import { formatTarget, parseAuthority, parseHost } from "../../src/egress/target.ts";

describe("a host as programs write it", () => {
  test.each([
    ["Example.ORG", "example.org"],
    ["example.org.", "example.org"],
    ["xn--bcher-kva.example", "xn--bcher-kva.example"],
    ["_srv.example.org", "_srv.example.org"],
    ["1.2.3.4", "1.2.3.4"],
    ["[2606:4700:0:0::1]", "2606:4700::1"],
    ["2606:4700::1", "2606:4700::1"],
    ["[::FFFF:1.2.3.4]", "::ffff:102:304"],
  ])("%s is %s", (text, host) => {
    expect(parseHost(text)).toBe(host);
  });

  test.each([
    "",
    ".",
    "..",
    "a..b",
    "-a.org",
    "a-.org",
    "a b",
    "a\0b.org",
    "a\n.org",
    "bücher.example",
    "a@b.org",
    "a/b",
    "a#b",
    "a?b",
    "a\\b",
    "127.1",
    "0x7f.1",
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "1.2.3.04",
    "1.2.3.4.5",
    "127.0.0.1.0x",
    "example.123",
    "a.0x1f",
    "[fe80::1%eth0]",
    "fe80::1%1",
    "[1.2.3.4]",
    "[::1",
    "::1]",
    "%31.org",
    `${"a".repeat(64)}.org`,
    "a.".repeat(127) + "toolong",
  ])("%j is none", (text) => {
    expect(parseHost(text)).toBeNull();
  });

  test("an authority is a host and a port, and nothing else", () => {
    expect(parseAuthority("example.org:8443", null)).toEqual({ host: "example.org", port: 8443 });
    expect(parseAuthority("[::1]:80", null)).toEqual({ host: "::1", port: 80 });
    expect(parseAuthority("example.org", 443)).toEqual({ host: "example.org", port: 443 });
    for (const text of [
      "example.org",
      "example.org:",
      "example.org:0",
      "example.org:65536",
      "example.org:+1",
      "u:p@example.org:1",
      "a:1:2",
    ])
      expect([text, parseAuthority(text, null)]).toEqual([text, null]);
  });

  test("the first line of a plain request", () => {
    expect(parseAbsoluteForm("http://example.org/a?b")).toEqual({ target: { host: "example.org", port: 80 }, path: "/a?b" });
    expect(parseAbsoluteForm("HTTP://example.org:8080?x")).toEqual({ target: { host: "example.org", port: 8080 }, path: "/?x" });
    for (const url of [
      "/a",
      "*",
      "https://example.org/",
      "http://u@example.org/",
      "http:///a",
      "http://a\\@b/",
      "http://a/#b",
      "ftp://a/",
      "http://a#@b/",
    ])
      expect([url, parseAbsoluteForm(url)]).toEqual([url, null]);
  });
});

describe("an allow list", () => {
  const policy = compilePolicy({ allow: ["example.org", "*.example.net", "api.example.com:8443", "1.2.3.4", "[2606:4700::1]:53"] });
  const allows = (text: string) => {
    const target = parseAuthority(text, null);
    return target !== null && policy.allows(target);
  };

  test.each([
    "example.org:443",
    "EXAMPLE.org.:80",
    "a.example.net:443",
    "a.b.example.net:80",
    "api.example.com:8443",
    "1.2.3.4:443",
    "[2606:4700:0::1]:53",
  ])("lets %s through", (text) => {
    expect(allows(text)).toBe(true);
  });

  test.each([
    "example.org:8080",
    "www.example.org:443",
    "badexample.org:443",
    "example.org.evil.com:443",
    "example.net:443",
    "xexample.net:443",
    "api.example.com:443",
    "1.2.3.5:443",
    "[2606:4700::1]:443",
    "[::ffff:1.2.3.4]:443",
    "[2606:4700::2]:53",
  ])("does not let %s through", (text) => {
    expect(allows(text)).toBe(false);
  });

  test("of `full` is everything, of `none` and `gateway` nothing", () => {
    const target = { host: "example.org", port: 443 };
    expect(compilePolicy("full").allows(target)).toBe(true);
    for (const none of ["none", "gateway"] as const) expect(compilePolicy(none).allows(target)).toBe(false);
    for (const entry of ["", "*", "*.1.2.3.4", "a b", "http://a"])
      expect(() => compilePolicy({ allow: [entry] })).toThrow(/cannot be allowed/);
  });

  test("whatever the contract accepts, the engine understands the same way", () => {
    const entry = fc.oneof(
      fc.domain(),
      fc.ipV4(),
      fc.ipV6().map((address) => `[${address}]`),
      fc.string({ unit: "grapheme", maxLength: 12 }),
      fc.domain().map((host) => `*.${host.toUpperCase()}`),
    );
    fc.assert(
      fc.property(entry, fc.option(fc.integer({ min: 0, max: 70_000 })), (host, port) => {
        const normal = normalizeAllowEntry(port === null ? host : `${host}:${port}`);
        fc.pre(normal !== null);
        expect(normalizeAllowEntry(normal)).toBe(normal);
        const compiled = compilePolicy({ allow: [normal] });
        const target = parseAuthority(normal.replace(/^\*\./, "below."), 443) ?? { host: "", port: 0 };
        expect([normal, compiled.allows(target)]).toEqual([normal, true]);
        expect(parseAuthority(formatTarget(target), null)).toEqual(target);
      }),
      { numRuns: 3000 },
    );
  });
});
