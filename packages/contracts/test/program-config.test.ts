import { expect, test } from "vitest";
import { ProgramConfig } from "../src/program-config.ts";

const read = (packages: readonly object[], source = "manual") =>
  ProgramConfig.safeParse({ runtime: "python", entrypoint: "main.py", dependencies: { source, packages } });

test.each(["rich", "ruamel.yaml", "zope-interface", "a", "_private", "@scope/name", "JSONStream", "example.com/a/b.v2", "~old"])(
  "%s is the name of a package",
  (name) => {
    expect(read([{ name, constraint: ">=1,<2", extras: ["all", "s3-x.y"] }]).success).toBe(true);
  },
);

test.each([
  "rich; rm -rf /",
  "rich\n--index-url x",
  "-r other",
  "--pre",
  "rich[all]",
  "rich==1",
  "a @ https://x.example/a.whl",
  "https://x.example/a",
  "../up",
  "/etc/passwd",
  "a//b",
  " rich",
  "rich#",
  "ключ",
])("%j is none, and is named", (name) => {
  const found = read([{ name: "idna" }, { name }]);
  expect(found.error?.issues).toMatchObject([{ path: ["dependencies", "packages", 1, "name"] }]);
});

test("extras are names, a constraint is one line; what files say is not the configuration's", () => {
  expect(read([{ name: "a", extras: ["b", "c]"] }]).error?.issues).toMatchObject([{ path: ["dependencies", "packages", 0, "extras", 1] }]);
  expect(read([{ name: "a", constraint: ">=1\nb" }]).error?.issues).toMatchObject([
    { path: ["dependencies", "packages", 0, "constraint"] },
  ]);
  expect(read([{ name: "rich; rm", constraint: "^1" }], "pyproject").success).toBe(true);
  expect(read([{ name: "a/".repeat(107) }]).success).toBe(false);
});
