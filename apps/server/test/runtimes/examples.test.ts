import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Artifact } from "@syla/contracts/runs";
import { execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
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

/** What came of an example, as far as the example says what should. */
async function outcomeOf(language: string, example: Example): Promise<unknown> {
  const { name: _name, stdout: _stdout, exitCode: _exitCode, error, artifacts: _artifacts, files, ...input } = example;
  const tree = Object.entries(files).map(([path, content]) => ({ path, content }));
  const entrypoint = input.entrypoint ?? tree[0]?.path;
  const run = await execute(server, {
    language,
    ...input,
    ...(entrypoint === undefined ? {} : { entrypoint }),
    files: tree,
    // Interpreters for which starting is work.
    limits: { wallMs: 60_000, cpus: 2 },
  });
  const said = run.error === null ? undefined : { code: run.error.code };
  const place = error?.line === undefined ? null : (run.error?.location ?? null);
  const where = place === null ? {} : { file: place.path, line: place.line };
  const message = error?.message !== undefined && run.error?.message.includes(error.message) === true ? { message: error.message } : {};
  return {
    error: said && { ...said, ...where, ...message },
    exitCode: run.exitCode,
    ...(error === undefined ? { stdout: run.stdout, status: run.status } : {}),
    artifacts: await readArtifacts(run.id),
    stderr: run.stderr,
  };
}

function expectationOf({ error, exitCode, stdout, artifacts }: Example): unknown {
  const stderr = expect.any(String) as string;
  return { error, exitCode, ...(error === undefined ? { stdout, status: "succeeded" } : {}), artifacts, stderr };
}

// The first program in Go waits for the standard library.
describe.each(runtimes.list())("$name", { timeout: 300_000 }, (runtime) => {
  const text = readFileSync(join(folder, readdirSync(folder).find((name) => nameOf(name) === runtime.name) ?? "", "examples.yaml"), "utf8");
  const examples = z.array(Example).parse(parse(text));

  it("has the examples that every language has", () => {
    const names = examples.map((example) => example.name);
    expect(names).toEqual(expect.arrayContaining(["stdin", "args", "files", "exit code", "uncaught error", "syntax error", "package"]));
  });

  it.for(examples)("$name", async (example, { skip }) => {
    skip(!runtime.available, `not installed: ${runtime.install}`);
    expect(await outcomeOf(example.language ?? runtime.name, example)).toEqual(expectationOf(example));
  });

  // The other examples write to /output, which only a sandbox has.
  const outside = ["python", "node"].includes(runtime.name) ? examples.filter(({ name }) => name !== "files") : [];
  it.for(outside)("$name: as outside of any sandbox", (example) => {
    using directory = createTemporaryDirectory();
    const entrypoint =
      example.entrypoint ?? Object.keys(example.files)[0] ?? (example.language === "typescript" ? "main.mts" : runtime.defaultEntrypoint);
    const files = example.code === undefined ? example.files : { [entrypoint]: example.code };
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(directory.path, path)), { recursive: true });
      writeFileSync(join(directory.path, path), content);
    }
    const binary = runtimes.get(runtime.name).spec?.binary ?? "";
    const words = [entrypoint, ...example.args];
    const { stdout, status } = spawnSync(binary, words, { cwd: directory.path, input: example.stdin ?? "", encoding: "utf8" });
    // What a program that fails printed before is not written down.
    const printed = example.error === undefined ? stdout : example.stdout;
    expect([printed, status]).toEqual([example.stdout, example.exitCode]);
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
