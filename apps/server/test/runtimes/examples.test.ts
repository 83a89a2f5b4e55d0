import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Artifact } from "@syla/contracts/runs";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { openRuntimes } from "../../src/runtimes/service.ts";

/** Every folder of `runtimes/` runs its examples: what they print, leave and end with is written beside them. */

const root = join(import.meta.dirname, "../../../..");
const folder = join(root, "runtimes");
const folders = { home: process.env["HOME"] ?? "", runtimes: process.env["SYLA_RUNTIMES_DIR"] ?? join(root, ".build/runtimes") };
const runtimes = await openRuntimes(folder, folders);

const Example = z.strictObject({
  name: z.string(),
  language: z.string().optional(),
  entrypoint: z.string().optional(),
  code: z.string().optional(),
  files: z.record(z.string(), z.string()).default({}),
  args: z.array(z.string()).default([]),
  stdin: z.string().optional(),
  stdout: z.string().default(""),
  exitCode: z.int().nullable().default(0),
  error: z
    .strictObject({ code: z.string(), file: z.string().optional(), line: z.int().optional(), message: z.string().optional() })
    .optional(),
  artifacts: z.record(z.string(), z.string()).default({}),
});
type Example = z.infer<typeof Example>;

let server: TestServer;
beforeAll(async () => {
  for (const { name, available, install } of runtimes.list())
    if (!available) process.stderr.write(`skipping the examples of ${name}: not installed (${install})\n`);
  server = await startTestServer({ SYLA_RUNTIMES_DIR: folders.runtimes, HOME: folders.home });
});
afterAll(() => server[Symbol.asyncDispose]());

async function readArtifacts(id: string): Promise<Record<string, string>> {
  const { items } = (await (await server.fetch(`/api/v1/runs/${id}/artifacts`)).json()) as { items: Artifact[] };
  const texts = items.map(async (item) => [item.path, await (await server.fetch(`/api/v1/runs/${id}/artifacts/${item.id}`)).text()]);
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}

async function check(language: string, example: Example): Promise<void> {
  const { name: _name, stdout, exitCode, error, artifacts, files, ...input } = example;
  const tree = Object.entries(files).map(([path, content]) => ({ path, content }));
  const entrypoint = tree.length > 0 ? (input.entrypoint ?? tree[0]?.path) : input.entrypoint;
  const run = await execute(server, {
    language,
    ...input,
    ...(entrypoint === undefined ? {} : { entrypoint }),
    files: tree,
    // Interpreters for which starting is work.
    limits: { wallMs: 60_000, cpus: 2 },
  });
  const [code, at] = [run.error?.code, run.error?.location];
  expect({ code, said: run.error?.message, exitCode: run.exitCode, stderr: run.stderr }).toMatchObject({ code: error?.code, exitCode });
  if (error?.line !== undefined) expect(at).toEqual({ file: error.file, line: error.line });
  if (error?.message !== undefined) expect(run.error?.message).toContain(error.message);
  if (error === undefined) expect([run.stdout, run.status]).toEqual([stdout, "succeeded"]);
  expect(await readArtifacts(run.id)).toEqual(artifacts);
}

describe.each(runtimes.list())("$name", (runtime) => {
  const text = readFileSync(join(folder, readdirSync(folder).find((name) => nameOf(name) === runtime.name) ?? "", "examples.yaml"), "utf8");
  const examples = z.array(Example).parse(parse(text));

  it("has the examples that every language has", () => {
    const names = examples.map((example) => example.name);
    expect(names).toEqual(expect.arrayContaining(["stdin", "args", "files", "exit code", "uncaught error", "syntax error", "package"]));
  });

  it.for(examples)("$name", async (example, { skip }) => {
    skip(!runtime.available, `not installed: ${runtime.install}`);
    await check(example.language ?? runtime.name, example);
  });

  it("says hello in every version that is here", async ({ skip }) => {
    skip(!runtime.available, `not installed: ${runtime.install}`);
    for (const version of runtime.versions) {
      const run = await execute(server, { language: `${runtime.name}@${version}`, code: runtime.example });
      expect([run.status, run.error, run.runtimeVersion, run.requestedVersion]).toEqual(["succeeded", null, version, version]);
      expect(run.stdout).toMatch(/^Hello from /);
    }
  });
});

function nameOf(name: string): string {
  return (parse(readFileSync(join(folder, name, "runtime.yaml"), "utf8")) as { name: string }).name;
}
