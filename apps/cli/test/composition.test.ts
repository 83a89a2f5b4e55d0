import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCli, temporaryFolder } from "./run-cli.ts";

const examples = join(import.meta.dirname, "../../../examples/compositions");
const sound = {
  format: 1,
  name: "Echo",
  nodes: [
    { id: "in", kind: "input", config: { name: "text", type: "str" } },
    { id: "out", kind: "output", config: { name: "text", type: "str" } },
  ],
  edges: [{ id: "e", from: { node: "in", port: "value" }, to: { node: "out", port: "value" } }],
};

test("compile prints Python that runs", async () => {
  const { code, stdout, stderr } = await runCli(["composition", "compile", "-"], { stdin: JSON.stringify(sound) });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const file = join(temporaryFolder(), "echo.py");
  writeFileSync(file, stdout);
  expect(JSON.parse(execFileSync("python3", [file, '{"text": "hi"}'], { encoding: "utf8" }))).toEqual({ text: "hi" });
});

test("compile --json tells the lines of nodes too", async () => {
  const { code, stdout } = await runCli(["composition", "compile", join(examples, "repair.json"), "--json"]);
  expect(code).toBe(0);
  const answer = JSON.parse(stdout) as { source: string; lines: { node: string; from: number; to: number }[]; problems: unknown[] };
  expect(answer.problems).toEqual([]);
  const place = answer.lines.find(({ node }) => node === "mail");
  expect(answer.source.split("\n")[(place?.from ?? 0) - 1]).toContain("def write_the_mail(");
});

test("validate lists every problem, and fails when there is an error", async () => {
  const broken = { ...sound, nodes: [sound.nodes[0], { ...sound.nodes[1], config: { name: "text", type: "int" }, label: "a\u001b[31m" }] };
  const file = join(temporaryFolder(), "broken.json");
  writeFileSync(file, JSON.stringify(broken));
  const plain = await runCli(["composition", "validate", file]);
  expect(plain.code).toBe(1);
  expect(plain.stdout.split("\n").map((line) => line.split("\t").slice(0, 3))).toEqual([
    ["warning", "hostile_text", "out"],
    ["error", "type_mismatch", "out value edge e"],
    [""],
  ]);
  const json = await runCli(["composition", "validate", file, "--json"]);
  expect(JSON.parse(json.stdout)).toMatchObject({
    valid: false,
    problems: [{ code: "hostile_text" }, { code: "type_mismatch", node: "out", edge: "e" }],
  });
  const compiled = await runCli(["composition", "compile", file]);
  expect(compiled).toMatchObject({ code: 1, stdout: "" });
  expect(compiled.stderr).toContain("type_mismatch");
});

test("validate says nothing of a sound graph but its hash", async () => {
  expect(await runCli(["composition", "validate", join(examples, "repair.json")])).toMatchObject({ code: 0, stdout: "" });
  const { stdout } = await runCli(["composition", "validate", "-", "--json"], { stdin: JSON.stringify(sound) });
  expect(JSON.parse(stdout)).toEqual({ valid: true, hash: expect.stringMatching(/^[0-9a-f]{64}$/), problems: [], notReused: [] });
});

test("validate says which results no later run takes", async () => {
  const { code, stdout } = await runCli(["composition", "validate", join(examples, "agent-loop.json")]);
  expect([code, stdout]).toEqual([0, "Each run makes these anew, results of earlier ones are not taken: start, agent\n"]);
});

test("a file that is not there, and one that is no JSON", async () => {
  expect(await runCli(["composition", "validate", "/nonexistent.json"])).toMatchObject({ code: 66 });
  const { code, stderr } = await runCli(["composition", "compile", "-"], { stdin: "{" });
  expect(code).toBe(65);
  expect(stderr).toContain("is no JSON");
});
