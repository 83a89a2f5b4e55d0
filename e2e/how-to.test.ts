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

describe("keep datasets", () => {
  it("does what the document says", async () => {
    const blocks = await readBlocks("keep-datasets.md", "sh");
    const home = join(folder.path, "datasets");
    await mkdir(home);
    await symlink(join(root, "syla"), join(home, "syla"));
    const env = { PATH: process.env["PATH"], HOME: home, SYLA_HOME: home, SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const { stdout } = await runFile("bash", ["-eu", "-c", `exec </dev/null\n${blocks.join("\n")}`], { cwd: home, env });
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/^data_/);
    expect(lines).toContain("0\t1\t42");
    expect(lines).toContain("1\t2\tBram Stoker");
    expect(lines).toContain("0.1.1");
    expect(lines.slice(-2)).toEqual([
      "questions True ['id', 'question', 'answer', 'points']",
      "quiz True ['id', 'question', 'answer', 'points']",
    ]);
    expect(JSON.parse((await readFile(join(home, "questions.jsonl"), "utf8")).split("\n")[0] ?? "")).toEqual({
      id: 1,
      question: "What is 6 times 7?",
      answer: "42",
      points: 1.5,
    });
  });
});

describe("understand a failed run", () => {
  it("shows what the document says", async () => {
    const blocks = await readBlocks("understand-a-failed-run.md", "sh");
    const home = join(folder.path, "failed");
    await mkdir(home);
    await symlink(join(root, "syla"), join(home, "syla"));
    const env = { PATH: process.env["PATH"], HOME: home, SYLA_HOME: home, SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const { stdout } = await runFile("bash", ["-eu", "-c", `exec </dev/null\n${blocks.join("\n")}`], { cwd: home, env });
    expect(stdout).toContain("> 2 | from prices import total");
    expect(stdout).toContain("Did you mean price?");
    expect(stdout).toContain("-from prices import total\n+from price import total");
    expect(stdout.trimEnd().split("\n").at(-1)).toBe("1 run deleted");
  });
});

describe("read logs, and take away what a run left", () => {
  it("does what the document says", async () => {
    const [commands = ""] = await readBlocks("read-logs-and-artifacts.md", "sh");
    const home = join(folder.path, "logs");
    await mkdir(home);
    await symlink(join(root, "syla"), join(home, "syla"));
    const env = { PATH: process.env["PATH"], HOME: home, SYLA_HOME: home, SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const { stdout } = await runFile("bash", ["-eu", "-c", `exec </dev/null\n${commands}`], { cwd: home, env });
    const lines = stdout.trimEnd().split("\n").slice(4);
    expect(lines.slice(0, 3).map((line) => line.replace(/\d{4}-.* WARNING/, "WARNING"))).toEqual([
      "2: WARNING row 0 has no price",
      "3: WARNING row 1 has no price",
      "4: WARNING row 2 has no price",
    ]);
    expect(lines.slice(3, 5).every((line) => /row [12] has no price$/.test(line))).toBe(true);
    expect(await readFile(join(home, "report", "table.csv"), "utf8")).toBe("name,price\ntea,3\n");
    expect(await (await fetch(lines.at(-1) ?? "")).json()).toEqual({ rows: 3 });
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

describe("work in a program's environment", () => {
  it("in a terminal and from TypeScript", async () => {
    const document = "work-in-a-programs-environment.md";
    const config = { runtime: "python", entrypoint: "main.py" };
    const input = { type: "program", name: "my-program", files: [{ path: "main.py", content: "print(6 * 7)" }], config };
    const { id } = (await (await server.send("POST", "/api/v1/assets", input)).json()) as { id: string };
    await server.send("POST", `/api/v1/assets/${id}/versions`, { version: "1.2.0" });
    const [commands = ""] = await readBlocks(document, "sh");
    const [terminal, command, ofVersion, restart, stop] = commands.trim().split("\n");
    expect([terminal, ofVersion, restart].every((line) => line?.startsWith("./syla program shell my-program"))).toBe(true);
    const env = { PATH: process.env["PATH"], HOME: folder.path, SYLA_HOME: folder.path, SYLA_URL: server.url, SYLA_API_KEY: apiKey };
    const lines = `exec </dev/null; ${command}\n${stop}`;
    expect((await runFile("bash", ["-eu", "-c", lines], { cwd: root, env })).stdout).toBe("42\n");
    const [program = ""] = await readBlocks(document, "ts");
    await mkdir(join(folder.path, "environment/node_modules/@syla"), { recursive: true });
    await symlink(join(root, "packages/sdk"), join(folder.path, "environment/node_modules/@syla/sdk"));
    await writeFile(join(folder.path, "environment/package.json"), '{ "type": "module" }');
    await writeFile(join(folder.path, "environment/run.ts"), program);
    const { stdout } = await runFile(process.execPath, ["run.ts"], {
      cwd: join(folder.path, "environment"),
      env: { SYLA_URL: server.url, SYLA_API_KEY: apiKey, PROGRAM: id },
    });
    expect(stdout).toBe("main.py\n\n");
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
