import { expect, it } from "vitest";
import { findBrokenLinks } from "../links/rules.ts";

it("finds links that lead nowhere", () => {
  const text = [
    "[a](../README.md#top) [b](how-to/run.md) [c](how-to) ![d](picture.png)",
    "[e](https://example.com/x.md) [f](#here)",
    "[g](missing.md) [h](../../outside.md)",
  ].join("\n");
  const paths = new Set(["README.md", "docs/a.md", "docs/how-to/run.md", "docs/picture.png"]);
  expect(findBrokenLinks([{ path: "docs/a.md", text }], paths)).toEqual([
    { path: "docs/a.md", line: 3, target: "missing.md" },
    { path: "docs/a.md", line: 3, target: "../../outside.md" },
  ]);
});
