import { matchesGlob } from "node:path";
import { describe, expect, it } from "vitest";
import { aloneFiles } from "../boundaries/alone-files.ts";
import { apartFiles } from "../boundaries/apart-files.ts";
import { findViolations } from "../boundaries/rules.ts";
import { listPaths, repositoryRoot } from "../source-files.ts";

/** Names of the rules that a small tree breaks, in order. */
function rulesBrokenBy(tree: Readonly<Record<string, string>>): string[] {
  return findViolations(Object.entries(tree).map(([path, text]) => ({ path, text }))).map((violation) => violation.rule);
}

describe("dependencies point one way", () => {
  const forbidden: readonly [string, string, string][] = [
    ["contracts importing the server", "packages/contracts/src/runs.ts", 'import { config } from "../../../apps/server/src/config.ts";'],
    ["contracts importing the SDK", "packages/contracts/src/runs.ts", 'import { Syla } from "@syla/sdk";'],
    ["the SDK importing the sandbox", "packages/sdk/src/client.ts", 'import type { Tier } from "@syla/sandbox/tier";'],
    ["the sandbox importing contracts", "packages/sandbox/src/tier.ts", 'import { Limits } from "@syla/contracts/runs";'],
    ["the CLI importing the server", "apps/cli/src/main.ts", 'const server = await import("../../server/src/main.ts");'],
    ["the CLI importing the sandbox", "apps/cli/src/main.ts", 'export { start } from "@syla/sandbox/engine";'],
    [
      "the web importing the server's types",
      "apps/web/src/app/router.tsx",
      'type Config = import("../../../server/src/config.ts").Config;',
    ],
    ["the server importing the SDK", "apps/server/src/main.ts", 'export * from "@syla/sdk";'],
    ["the server importing the test kit", "apps/server/src/main.ts", 'import { start } from "@syla/testkit/server";'],
  ];
  it.each(forbidden)("refuses %s", (_name, path, text) => {
    expect(rulesBrokenBy({ [path]: text })).toEqual(["one-way"]);
  });

  const allowed: readonly [string, string, string][] = [
    ["the server importing the sandbox", "apps/server/src/runs/worker.ts", 'import { start } from "@syla/sandbox/engine";'],
    ["the web importing the SDK", "apps/web/src/runs/run-page.tsx", 'import { Syla } from "@syla/sdk";'],
    ["a test importing the test kit", "apps/server/test/runs.test.ts", 'import { start } from "@syla/testkit/server";'],
    ["packages of others", "packages/contracts/src/runs.ts", 'import { z } from "zod";'],
  ];
  it.each(allowed)("allows %s", (_name, path, text) => {
    expect(rulesBrokenBy({ [path]: text })).toEqual([]);
  });

  it("wants packages imported by name", () => {
    expect(rulesBrokenBy({ "apps/cli/src/main.ts": 'import { runRoutes } from "../../../packages/contracts/src/runs.ts";' })).toEqual([
      "by-name",
    ]);
  });

  it("says file and line", () => {
    const files = [{ path: "packages/sandbox/src/tier.ts", text: '\n\nimport { Run } from "@syla/contracts/runs";\n' }];
    expect(findViolations(files)).toMatchObject([{ path: "packages/sandbox/src/tier.ts", line: 3 }]);
  });
});

describe("pure parts stay pure", () => {
  it.each([
    ["packages/contracts/src/runs.ts", 'import { readFileSync } from "node:fs";'],
    ["packages/flow/src/order.ts", 'import { useState } from "react";'],
    ["packages/sdk/src/client.ts", 'import { request } from "node:http";'],
    ["apps/web/src/ui/table.tsx", 'import { useQuery } from "@tanstack/react-query";'],
  ])("%s", (path, text) => {
    expect(rulesBrokenBy({ [path]: text })).toEqual(["pure-part"]);
  });
});

describe("domains of the server", () => {
  it("meet through services", () => {
    const path = "apps/server/src/runs/service.ts";
    expect(rulesBrokenBy({ [path]: 'import { findUser } from "../accounts/store.ts";' })).toEqual(["no-foreign-store"]);
    expect(rulesBrokenBy({ [path]: 'import type { UserRow } from "../accounts/store.ts";' })).toEqual(["no-foreign-store"]);
    expect(rulesBrokenBy({ [path]: 'import { signIn } from "../accounts/routes.ts";' })).toEqual(["through-service"]);
    expect(rulesBrokenBy({ [path]: 'import { authenticate } from "../accounts/service.ts";' })).toEqual([]);
    expect(rulesBrokenBy({ [path]: 'import { insertRun } from "./store.ts";' })).toEqual([]);
    expect(rulesBrokenBy({ "apps/server/src/context.ts": 'import { createStore } from "./runs/store.ts";' })).toEqual([]);
  });

  it("lie above the platform", () => {
    expect(rulesBrokenBy({ "apps/server/src/platform/http/app.ts": 'import type { Actor } from "../../access/actor.ts";' })).toEqual([
      "platform-below-domains",
    ]);
    expect(rulesBrokenBy({ "apps/server/src/runs/store.ts": 'import { open } from "../platform/database.ts";' })).toEqual([]);
  });
});

describe("the environment has one reader", () => {
  it.each([
    ["a property", "const home = process.env.HOME;"],
    ["an index", 'const home = process["env"].HOME;'],
    ["destructuring", "const { env } = process;"],
    ["an import", 'import { env } from "node:process";'],
  ])("refuses %s", (_name, text) => {
    expect(rulesBrokenBy({ "apps/server/src/runs/worker.ts": text })).toEqual(["one-environment-reader"]);
  });

  it("is config.ts", () => {
    expect(rulesBrokenBy({ "apps/server/src/config.ts": "export const home = process.env.HOME;" })).toEqual([]);
  });
});

describe("SQL lies in stores", () => {
  it.each([
    ["the query builder", 'import { sql } from "kysely";'],
    ["the driver", 'import { Pool } from "pg";'],
    ["a statement", "const rows = query('select id from runs where id = $1');"],
    ["a template", "const rows = query(`\n  UPDATE runs SET status = ${status}`);"],
  ])("refuses %s in a service", (_name, text) => {
    expect(rulesBrokenBy({ "apps/server/src/runs/service.ts": text })).toEqual(["sql-in-stores"]);
    expect(rulesBrokenBy({ "apps/server/src/runs/store.ts": text })).toEqual([]);
  });

  it("leaves types and prose alone", () => {
    const text = 'import type { Kysely } from "kysely";\nconst hint = "Update the page, or select another run.";';
    expect(rulesBrokenBy({ "apps/server/src/runs/service.ts": text })).toEqual([]);
  });
});

describe("roles are compared in one place", () => {
  it.each([
    ["of an actor", 'if (actor.role !== "admin") throw new AppError("forbidden");'],
    ["of anybody", 'const may = role === "end_user";'],
    ["in a team", 'const level = row.team_role === "owner" ? "admin" : "view";'],
    ["the other way round", 'const may = "developer" === viewer.role;'],
  ])("refuses one %s", (_name, text) => {
    expect(rulesBrokenBy({ "apps/server/src/runs/service.ts": text })).toEqual(["one-permission-check"]);
    expect(rulesBrokenBy({ "apps/server/src/access/permission.ts": text })).toEqual([]);
  });

  it("leaves roles of messages, and what is no comparison, alone", () => {
    const text = 'const mine = message.role === "user"; const wish = { role: "admin" }; const level = standing.level !== "admin";';
    expect(rulesBrokenBy({ "apps/server/src/gateway/service.ts": text })).toEqual([]);
  });
});

describe("names", () => {
  it.each([
    "apps/server/src/runs/utils.ts",
    "packages/sdk/src/http-helpers.ts",
    "apps/web/src/common/date.ts",
    "apps/server/src/core/run.ts",
  ])("refuses %s", (path) => {
    expect(rulesBrokenBy({ [path]: "" })).toEqual(["meaningful-name"]);
  });

  it("refuses barrels except a published entry", () => {
    expect(rulesBrokenBy({ "apps/web/src/runs/index.tsx": "" })).toEqual(["no-barrel"]);
    expect(rulesBrokenBy({ "packages/sdk/src/index.ts": "" })).toEqual([]);
  });

  it.each(["apps/web/src/runs/RunPage.tsx", "packages/sdk/src/run_events.ts"])("wants kebab-case: %s", (path) => {
    expect(rulesBrokenBy({ [path]: "" })).toEqual(["kebab-case"]);
  });
});

describe("tests that need the machine for themselves", () => {
  const texts = [
    ["takes a census", 'import { takeCensus } from "../long/census.ts";'],
    ["stops processes", 'process.kill(pid, "SIGSTOP");'],
  ] as const;
  it.each(texts)("run alone: one that %s", (_name, text) => {
    expect(rulesBrokenBy({ "packages/sandbox/test/other.test.ts": text })).toEqual(["alone"]);
    expect(rulesBrokenBy({ "packages/sandbox/test/long/other.test.ts": text })).toEqual([]);
    expect(rulesBrokenBy({ "packages/sandbox/test/driver.ts": text })).toEqual([]);
  });

  it("or their process", () => {
    const text = "process.memoryUsage().rss;";
    expect(rulesBrokenBy({ "apps/server/test/runs/other.test.ts": text })).toEqual(["apart"]);
    expect(rulesBrokenBy({ "packages/sandbox/test/other.test.ts": text })).toEqual([]);
    expect(rulesBrokenBy({ "apps/server/test/runs/full-disk.test.ts": text })).toEqual([]);
  });

  it("are there, each by the name in the list", () => {
    const paths = listPaths(repositoryRoot);
    const globs = [...Object.keys(aloneFiles), ...Object.keys(apartFiles)];
    expect(globs.filter((glob) => !paths.some((path) => matchesGlob(path, glob)))).toEqual([]);
  });
});

it("names the file that cannot be parsed", () => {
  expect(() => rulesBrokenBy({ "packages/sdk/src/broken.ts": "const = 1" })).toThrow("packages/sdk/src/broken.ts");
});
