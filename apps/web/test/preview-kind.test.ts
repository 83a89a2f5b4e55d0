import { expect, it } from "vitest";
import { bytesToRead, previewKind } from "../src/runs/detail/preview/preview-kind.ts";
import { readJson } from "../src/runs/detail/preview/read-json.ts";

const mebibyte = 1024 * 1024;

it.each([
  ["a.png", "image/png", 10, "image"],
  ["a.svg", "image/svg+xml", 10, "image"],
  ["a.png", "image/png", 30 * mebibyte, "none"],
  ["a.tiff", "image/tiff", 10, "none"],
  ["a.html", "text/html", 10, "page"],
  ["a.html", "text/html", 30 * mebibyte, "text"],
  ["a.csv", "text/csv", 300 * mebibyte, "table"],
  ["a.json", "application/json", 10, "json"],
  ["a.json", "application/json", 30 * mebibyte, "text"],
  ["a.geojson", "application/geo+json", 10, "json"],
  ["a.jsonl", "application/octet-stream", 10, "text"],
  ["a.md", "text/markdown", 10, "markdown"],
  ["a.md", "text/markdown", 3 * mebibyte, "text"],
  ["a.txt", "text/plain", 10, "text"],
  ["run.log", "text/plain", 10, "text"],
  ["a.bin", "application/octet-stream", 10, "none"],
  ["a", "application/octet-stream", 10, "none"],
] as const)("%s (%s, %i bytes) is looked at as %s", (path, mimeType, size, kind) => {
  expect(previewKind({ path, mimeType, size })).toBe(kind);
});

it("reads no more of a text or a table than is looked at", () => {
  expect([bytesToRead("text", 10), bytesToRead("text", mebibyte), bytesToRead("table", mebibyte), bytesToRead("json", mebibyte)]).toEqual([
    null,
    mebibyte / 2,
    mebibyte / 2,
    null,
  ]);
});

it.each(["9007199254740993", '{"id":1234567890123456789}', "[1, -1e400]", "[1e-400]", "0.12345678901234567890123", "{"])(
  "%s is shown as text: a tree would show other digits, or there is none",
  (text) => expect(readJson(text)).toBeNull(),
);
it.each([
  "9007199254740992",
  '{"id":"1234567890123456789"}',
  "[0.30000000000000004,3.3333333333333334e-08,1.152921504606847e+18]",
  "[10000000000000000000000,1E+22]",
  "0.0000000000000000",
  "[-0.00,true]",
])("%s is shown as a tree", (text) => expect(readJson(text)).toEqual({ value: JSON.parse(text) as unknown }));
