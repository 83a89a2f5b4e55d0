import { describe, expect, it } from "vitest";
import { findForbiddenWords } from "../words/rules.ts";

const wordsIn = (text: string): string[] => findForbiddenWords({ path: "docs/a.md", text }).map((found) => found.word);

describe("forbidden words", () => {
  it.each([
    ["// TODO: later", "TODO"],
    ["see issue #12", "issue #12"],
    ["cd /work/main", "/work/main"],
    ["in /home/bob/code", "/home/bob"],
    ["<<<<<<< ours", "<<<<<<<"],
    ["registry: https://artifactory.example.com/npm/", "https://artifactory.example.com/npm/"],
    ["it.only('x')", "it.only("],
  ])("finds %s", (text, word) => {
    expect(wordsIn(`first line\n${text}`)).toEqual([word]);
  });

  it.each(["a sign-in session", "this is an issue", "mastodon", "/home/user/.syla", "the sandbox's /work", "a=======b"])(
    "allows %s",
    (text) => {
      expect(wordsIn(text)).toEqual([]);
    },
  );

  it("says where", () => {
    expect(findForbiddenWords({ path: "a.ts", text: "\n\n// FIXME" })).toMatchObject([{ path: "a.ts", line: 3 }]);
  });
});
