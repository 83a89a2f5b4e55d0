/** Follows the how-tos literally: their commands and programs are taken from the documents and run against a real server. */
import { execFile } from "node:child_process";
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { startTestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const root = join(import.meta.dirname, "..");
const runFile = promisify(execFile);

/** The fenced blocks of one language, in order. */
async function readBlocks(document: string, language: string): Promise<string[]> {
  const text = await readFile(join(root, "docs/how-to", document), "utf8");
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, "gm"))].map((match) => match[1] ?? "");
}

let server: Awaited<ReturnType<typeof startTestServer>>;
let apiKey: string;
const folder = createTemporaryDirectory();

beforeAll(async () => {
  server = await startTestServer();
  const answer = await server.send("POST", "/api/v1/api-keys", { name: "how-to" });
  ({ key: apiKey } = (await answer.json()) as { key: string });
});
afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  folder[Symbol.dispose]();
});

describe("run code over HTTP", () => {
  let blocks: string[];
  let run = "";
  beforeAll(async () => {
    blocks = await readBlocks("run-code-over-http.md", "sh");
    await writeFile(join(folder.path, "large-file.bin"), "some bytes");
  });

  /** Runs the block that holds `part`, without the lines where a reader puts in values of his own. */
  async function follow(part: string): Promise<string> {
    const found = blocks.filter((block) => block.includes(part));
    expect(found).toHaveLength(1);
    const commands = (found[0] ?? "").replace(/^(export )?\w+=.*…$/gm, "");
    const env = { PATH: process.env["PATH"], SYLA_URL: server.url, SYLA_API_KEY: apiKey, RUN: run };
    const { stdout } = await runFile("bash", ["-eu", "-c", commands], { cwd: folder.path, env });
    return stdout;
  }

  it("code in, result out", async () => {
    expect(JSON.parse(await follow("print(6 * 7)"))).toMatchObject({ status: "succeeded", exitCode: 0, stdout: "42\n", error: null });
  });

  it("a wrong request is a problem document", async () => {
    expect(JSON.parse(await follow('"pyton"'))).toMatchObject({ code: "unknown_language", status: 400 });
  });

  it("several files, arguments and standard input", async () => {
    expect(JSON.parse(await follow("shapes.py"))).toMatchObject({ status: "succeeded", stdout: "9.0 square metres\n" });
  });

  it("uploads content", async () => {
    expect(JSON.parse(await follow("large-file.bin"))).toMatchObject({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), size: 10 });
  });

  it("queues, follows and reads a run", async () => {
    const queued = await follow("Idempotency-Key");
    expect(queued).toMatch(/^HTTP\/1\.1 202 /);
    run = /^location: .*\/api\/v1\/runs\/(run_\w+)\r?$/im.exec(queued)?.[1] ?? "";
    const followed = await follow("--no-buffer");
    expect(followed).toContain(run);
    expect(followed).toMatch(/"type":"end"/);
    const read = await follow("log?stream=stdout");
    expect(read).toContain("1\n2\n3\n");
    expect(read).toContain('"run_finished"');
  });
});

describe("give a run a network", () => {
  it("prints what the document says", async () => {
    const [commands = ""] = await readBlocks("give-a-run-a-network.md", "sh");
    const [answer] = await readBlocks("give-a-run-a-network.md", "text");
    const env = { PATH: process.env["PATH"], HOME: folder.path, SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    await symlink(join(root, "syla"), join(folder.path, "syla"));
    const { stdout } = await runFile("bash", ["-eu", "-c", `exec </dev/null\n${commands}`], { cwd: folder.path, env });
    expect(stdout.trim()).toBe(answer?.trim());
  });
});

describe("use a long-lived sandbox", () => {
  it("in a terminal", async () => {
    const [commands = ""] = await readBlocks("use-a-sandbox.md", "sh");
    const env = { PATH: process.env["PATH"], HOME: folder.path, SYLA_HOME: folder.path, SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const { stdout } = await runFile("bash", ["-eu", "-c", `exec </dev/null; ${commands}`], { cwd: root, env });
    const lines = stdout.split("\n");
    expect(lines.slice(0, 4)).toEqual(["answer.py", "42", "42", "print(6 * 7)"]);
    expect(lines[4]).toMatch(/answer\.py$/);
    expect(lines.slice(5)).toEqual(["paused", "running", ""]);
  });

  it("from TypeScript", async () => {
    const [program = ""] = await readBlocks("use-a-sandbox.md", "ts");
    await mkdir(join(folder.path, "sandbox/node_modules/@syla"), { recursive: true });
    await symlink(join(root, "packages/sdk"), join(folder.path, "sandbox/node_modules/@syla/sdk"));
    await writeFile(join(folder.path, "sandbox/package.json"), '{ "type": "module" }');
    await writeFile(join(folder.path, "sandbox/run.ts"), program);
    const env = { SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const { stdout } = await runFile(process.execPath, ["run.ts"], { cwd: join(folder.path, "sandbox"), env });
    expect(stdout).toBe("3 blue\n\n1\n2\n\n3.141592653589793\ntrue\n");
  });
});

describe("run code from TypeScript", () => {
  it("does what the comments say", async () => {
    const [program = ""] = await readBlocks("use-the-typescript-sdk.md", "ts");
    await mkdir(join(folder.path, "node_modules/@syla"), { recursive: true });
    // what `npm install /path/to/packages/sdk` does
    await symlink(join(root, "packages/sdk"), join(folder.path, "node_modules/@syla/sdk"));
    await writeFile(join(folder.path, "package.json"), '{ "type": "module" }');
    await writeFile(join(folder.path, "run.ts"), program);
    const env = { SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const { stdout } = await runFile(process.execPath, ["run.ts"], { cwd: folder.path, env });
    const lines = stdout.split("\n");
    expect(lines.slice(0, 6)).toEqual(["succeeded 0 42", "", "1", "2", "3", "succeeded"]);
    expect(lines[6]).toMatch(/^(unknown_language|empty_code) /);
    expect(lines.slice(7)).toEqual(["copy.csv a,b", "1,2", "", ""]);
  });
});
