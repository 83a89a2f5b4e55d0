import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { listPaths, repositoryRoot } from "../source-files.ts";

const versions = z.record(z.string(), z.string()).default({});
const Manifest = z.object({ dependencies: versions, devDependencies: versions, optionalDependencies: versions });
const LockFile = z.object({ packages: z.record(z.string(), z.object({ optionalDependencies: versions })) });

const readJson = (path: string): unknown => JSON.parse(readFileSync(join(repositoryRoot, path), "utf8"));

describe.each(["package-lock.json", "runtimes/bun/package-lock.json", "runtimes/deno/package-lock.json"])("%s", (file) => {
  // A registry that lags behind makes npm leave such a package out without a word, and then `npm ci` refuses the file.
  it("holds the packages for every processor and system", () => {
    const { packages } = LockFile.parse(readJson(file));
    const absent = Object.entries(packages).flatMap(([path, entry]) =>
      Object.keys(entry.optionalDependencies).filter(
        (name) => packages[`node_modules/${name}`] === undefined && packages[`${path}/node_modules/${name}`] === undefined,
      ),
    );
    expect(absent).toEqual([]);
  });
});

describe("package.json files", () => {
  const manifests = listPaths(repositoryRoot).filter((path) =>
    /^(package\.json|(packages|apps|runtimes)\/[^/]+\/package\.json)$/.test(path),
  );

  it.each(manifests)("%s pins exact versions", (path) => {
    const { dependencies, devDependencies, optionalDependencies } = Manifest.parse(readJson(path));
    const loose = Object.entries({ ...dependencies, ...devDependencies, ...optionalDependencies }).filter(
      ([name, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) && !name.startsWith("@syla/"),
    );
    expect(loose).toEqual([]);
  });
});
