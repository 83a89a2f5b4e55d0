import { expect, it } from "vitest";
import { byRevision, leftAfter, type Edit } from "../src/workspaces/edits.ts";

const edit = (text: string, revision: number): Edit => ({ text, executable: false, revision });

it("saves together what began on the same revision, the oldest first", () => {
  const edits = new Map([
    ["a", edit("1", 7)],
    ["b", edit("2", 3)],
    ["c", edit("3", 7)],
  ]);
  expect(byRevision(edits).map(([revision, group]) => [revision, [...group.keys()]])).toEqual([
    [3, ["b"]],
    [7, ["a", "c"]],
  ]);
});

it("goes on from what was saved with what was typed meanwhile, unless others' changes came into it", () => {
  const sent = new Map(["same", "typed", "merged", "unread"].map((path) => [path, edit("sent", 3)]));
  const now = new Map([
    ["same", edit("sent", 3)],
    ["typed", edit("sent and more", 3)],
    ["merged", edit("sent and more", 3)],
    ["unread", edit("sent and more", 3)],
    ["begun", edit("new", 3)],
  ]);
  const texts = new Map([
    ["same", "sent"],
    ["typed", "sent"],
    ["merged", "theirs, sent"],
  ]);
  expect([...leftAfter(now, sent, { revision: 5, texts })].map(([path, { revision }]) => [path, revision])).toEqual([
    ["typed", 5],
    ["merged", 3],
    ["unread", 3],
    ["begun", 3],
  ]);
});
