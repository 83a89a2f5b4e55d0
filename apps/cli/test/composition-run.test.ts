import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Run } from "@syla/contracts/runs";
import { createPerson } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCli } from "./run-cli.ts";

let server: TestServer;
let home: string;
let ann: { authorization: string };

beforeAll(async () => {
  server = await startTestServer();
  home = mkdtempSync(join(tmpdir(), "syla-cli-home-"));
  ann = await createPerson(server);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  rmSync(home, { recursive: true, force: true });
});

const composition = (args: string[], more: { stdin?: string } = {}) =>
  runCli(["composition", ...args], {
    env: { SYLA_URL: server.url, SYLA_API_KEY: ann.authorization.slice("Bearer ".length), SYLA_HOME: home },
    ...more,
  });

const code = (id: string, source: string, inputs: object[], returns: string) => ({
  id,
  kind: "code",
  config: { language: "python", source, inputs, returns },
});
const wire = (id: string, from: string, to: string) => {
  const end = (text: string) => ({ node: text.split(".")[0], port: text.split(".")[1] });
  return { id, from: end(from), to: end(to) };
};

/** A text, so many times; fails where it is to be none. */
const repeat = {
  format: 1,
  name: "Repeat",
  nodes: [
    { id: "text", kind: "input", config: { name: "text", type: "str" } },
    { id: "times", kind: "input", config: { name: "times", type: "int", default: 2 } },
    code("loud", "return text.upper()", [{ name: "text", type: "str" }], "str"),
    code(
      "many",
      'if times < 1:\n    raise ValueError("nothing to say")\nreturn text * times',
      [
        { name: "text", type: "str" },
        { name: "times", type: "int" },
      ],
      "str",
    ),
    { id: "out", kind: "output", config: { name: "said", type: "str" } },
  ],
  edges: [
    wire("a", "text.value", "loud.text"),
    wire("b", "loud.result", "many.text"),
    wire("c", "times.value", "many.times"),
    wire("d", "many.result", "out.value"),
  ],
};

describe("syla composition run", () => {
  test("runs it with inputs by their types, and prints what comes out", async () => {
    const made = await composition(["import", "-", "--name", "Repeat"], { stdin: JSON.stringify(repeat) });
    expect(made.code).toBe(0);
    const one = await composition(["run", "repeat", "-i", "text=12", "--input", "times=3"]);
    expect(one.stderr).not.toContain("error");
    expect({ code: one.code, said: JSON.parse(one.stdout) as unknown }).toEqual({ code: 0, said: { said: "121212" } });
    const two = await composition(["run", "repeat", "--inputs", "-"], { stdin: JSON.stringify({ text: "a" }) });
    expect(JSON.parse(two.stdout)).toEqual({ said: "AA" });
    const document = JSON.parse((await composition(["run", "repeat", "-i", "text=b", "--json"])).stdout) as { stdout: string };
    expect(JSON.parse(document.stdout)).toEqual({ said: "BB" });
  }, 120_000);

  test("goes on from where a run failed, and exits as the program does", async () => {
    const failed = await composition(["run", "repeat", "-i", "text=a", "-i", "times=0"]);
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("nothing to say");
    const { items } = (await (await server.fetch("/api/v1/runs?kind=composition&status=failed", { headers: ann })).json()) as {
      items: Run[];
    };
    const again = await composition(["run", "repeat", "-i", "text=a", "-i", "times=1", "--restart", items[0]?.id ?? ""]);
    expect(JSON.parse(again.stdout)).toEqual({ said: "A" });
    const begun = (await composition(["run", "repeat", "-i", "text=a", "--detach"])).stdout.trim();
    expect(begun).toMatch(/^run_/);
  }, 120_000);

  test("lists its nodes, and decides where it waits for a person", async () => {
    const inner = {
      nodes: [
        { id: "item", kind: "input", config: { name: "item", type: "str" } },
        {
          id: "slow",
          kind: "code",
          config: { language: "javascript", source: "return item;", inputs: [{ name: "item" }], returns: "Any" },
        },
        { id: "ask", kind: "approval", config: { message: "Good?" } },
        { id: "made", kind: "output", config: { name: "made" } },
      ],
      edges: [wire("a", "item.value", "slow.item"), wire("b", "slow.result", "ask.value"), wire("c", "ask.approved", "made.value")],
    };
    const asking = {
      format: 1,
      name: "Asking",
      nodes: [
        { id: "words", kind: "input", config: { name: "words", type: "list[str]", default: ["tea", "coffee"] } },
        { id: "each", kind: "map", config: { concurrency: 2 }, body: inner },
        { id: "out", kind: "output", config: { name: "all" } },
      ],
      edges: [wire("a", "words.value", "each.items"), wire("b", "each.made", "out.value")],
    };
    expect((await composition(["import", "-", "--name", "Asking"], { stdin: JSON.stringify(asking) })).code).toBe(0);
    const id = (await composition(["run", "asking", "--detach"])).stdout.trim();
    const approvals = async () => (await composition(["approvals"])).stdout.split("\n").filter((line) => line !== "");
    await expect.poll(async () => (await approvals()).length, { timeout: 60_000 }).toBe(2);
    const listed = (await approvals()).map((line) => line.split("\t"));
    expect(listed.map(([run, , composed, , question]) => [run, composed, question])).toEqual([
      [id, "Asking", "Good?"],
      [id, "Asking", "Good?"],
    ]);
    const [one = "", other = ""] = listed.map(([, path]) => path);
    expect([one, other]).toEqual([expect.stringMatching(/\[0\]\//), expect.stringMatching(/\[1\]\//)]);
    const unclear = await composition(["approve", id]);
    expect([unclear.code, unclear.stderr]).toEqual([64, expect.stringContaining(`${one}, ${other}`)]);
    const approved = await composition(["approve", id, one, "--note", "tastes well"]);
    expect([approved.code, approved.stdout]).toEqual([0, `approved ${one}\n`]);
    const again = await composition(["reject", id, one, "--json"]);
    expect([again.code === 0, again.stdout]).toEqual([false, expect.stringContaining("node_not_waiting")]);
    const rejected = await composition(["reject", id, "--json"]);
    expect(JSON.parse(rejected.stdout)).toMatchObject({ path: other, approval: { approved: false } });
    const states = async () => (await composition(["nodes", id])).stdout.split("\n").map((line) => line.split("\t").slice(0, 3).join(" "));
    await expect
      .poll(states, { timeout: 60_000 })
      .toEqual(expect.arrayContaining([`${one} approval succeeded`, expect.stringMatching(/ output succeeded$/)]));
    const { items } = JSON.parse((await composition(["nodes", id, "--json"])).stdout) as { items: { path: string; approval: object }[] };
    expect(items.find(({ path }) => path === one)?.approval).toMatchObject({ approved: true, comment: "tastes well" });
    expect((await composition(["approve", id])).stderr).toContain("No node of this run waits");
  }, 120_000);

  test("says what is wrong with how it was called", async () => {
    expect((await composition(["run", "repeat", "-i", "text"])).code).toBe(64);
    expect((await composition(["run", "repeat", "--inputs", "-"], { stdin: "[]" })).code).toBe(64);
    expect((await composition(["run", "repeat", "--only", "many", "--from", "many"])).code).toBe(64);
    const missing = await composition(["run", "repeat"]);
    expect(missing.code).not.toBe(0);
    expect(missing.stderr).toContain("text");
    const wrong = await composition(["run", "repeat", "-i", "text=a", "-i", "times=soon", "--json"]);
    expect(wrong.code).not.toBe(0);
    expect(JSON.stringify(JSON.parse(wrong.stdout))).toContain("input_invalid");
  }, 120_000);
});
