import type { AnalysisDocument } from "@syla/sdk";
import { expect, it } from "vitest";
import { knownPackages, optionsOf } from "../src/programs/dependencies/sources.ts";

const dependency = (name: string, file: string, url: string | null = null) => ({
  ecosystem: "python",
  name,
  constraint: null,
  extras: [],
  marker: null,
  group: null,
  source: "requirements",
  file,
  line: 1,
  cell: null,
  url,
  hashes: 0,
});
const manifest = (file: string, includes: string[] = []) => ({
  kind: "requirements",
  file,
  name: null,
  version: null,
  dynamic: false,
  options: [],
  requires: [],
  includes,
});
const analysis = {
  manifests: [manifest("base.txt"), manifest("requirements.txt", ["base.txt"])],
  dependencies: [
    dependency("click", "requirements.txt"),
    dependency("rich", "base.txt"),
    dependency("internal-tool", "requirements.txt", "git+https://example.org/a.git"),
    dependency("Internal_Tool", "base.txt"),
  ],
} as unknown as AnalysisDocument;

it("no package of an index is begun with that is written with an address anywhere", () => {
  expect(knownPackages(analysis, "python").map(({ name }) => name)).toEqual(["click", "rich"]);
});

it("the packages of a file are those of the files that it includes as well", () => {
  const option = optionsOf(analysis, "python").find(({ title }) => title === "requirements.txt");
  expect(option?.dependencies.packages.map(({ name }) => name)).toEqual(["click", "rich"]);
});
