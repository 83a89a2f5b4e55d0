import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Asset } from "@syla/contracts/assets";
import { Import } from "@syla/contracts/imports";
import type { LlmCall, LlmTotals, Model } from "@syla/contracts/models";
import { isFinal, type Artifact, type Run } from "@syla/contracts/runs";
import { startTestGitServer, type TestGitServer } from "@syla/testkit/git-server";
import type { ScriptedAnswer } from "@syla/testkit/llm";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { openGateway, providerKey, type GatewaySetting } from "./gateway-setting.ts";
import { clientNames, clients, litellm, litellmNames, pyproject, search, triage } from "./python-programs.ts";

const uv = join(import.meta.dirname, "../../../../.build/runtimes/uv/uv");
const buildMs = 600_000;
/** The heavy ones: `SYLA_LONG_RUNS=1 npm test -- apps/server/test/gateway/mellea.test.ts`. */
const isLong = process.env["SYLA_LONG_RUNS"] !== undefined;
/** The program of the first test calls a model of OpenAI. */
const upstreams = isLong ? (["openai", "anthropic", "ollama"] as const) : (["anthropic"] as const);

/** mellea hands pieces on by threes. */
const longAnswer = "An answer that is long enough to come in many pieces, of eight letters each.";

interface Expected {
  readonly script: readonly ScriptedAnswer[];
  readonly stdout: string;
  readonly artifacts: readonly string[];
  readonly calls: number;
}

const call = (tool: string, input: object) => ({ tool, arguments: input });
const templates: [string, Expected][] = [
  [
    "generative-slot",
    {
      script: [
        '{"result": "positive"}',
        '{"result": "negative"}',
        '{"result": [{"part": "case", "problem": "it was broken"}]}',
        '{"result": "mixed"}',
        '{"result": []}',
      ],
      stdout: "negative  1 complaint ",
      artifacts: ["reviews.json"],
      calls: 5,
    },
  ],
  [
    "instruct-validate-repair",
    {
      script: ["Come to [place]!", "The reading room opens on 14 March at 10 o'clock."],
      stdout: "attempt 2: as required",
      artifacts: ["announcement.txt"],
      calls: 2,
    },
  ],
  [
    "agent",
    {
      script: [
        call("list_articles", {}),
        call("look_up", { article: "notebook" }),
        call("calculate", { expression: "3 * 3.2 + 1.5" }),
        call("final_answer", { answer: "11.10 euros" }),
      ],
      stdout: "calculate('3 * 3.2 + 1.5') -> 11.1\nanswer: 11.10 euros",
      artifacts: [],
      calls: 4,
    },
  ],
  [
    "data-analysis",
    { script: [], stdout: "south      n=3 mean=21.07 stdev=1.30", artifacts: ["means.png", "spread.png", "summary.csv"], calls: 0 },
  ],
];

// uv is installed by tools/test.sh where pip can be used; nothing here can be tried without it.
describe.skipIf(!existsSync(uv))("programs with mellea", () => {
  let setting: GatewaySetting;
  let git: TestGitServer;
  let model: Model;

  beforeAll(async () => {
    git = await startTestGitServer();
    setting = await openGateway({ SYLA_UV: uv, SYLA_NETWORK_ALLOW_PRIVATE: new URL(git.url).host });
    model = await setting.model("Granite", { provider: "openai" });
  });
  beforeEach(() => {
    setting.llm.behave({});
    setting.llm.seen.length = 0;
  });
  afterAll(async () => {
    await setting[Symbol.asyncDispose]();
    await git[Symbol.asyncDispose]();
  });

  const send = <T>(method: string, path: string, body?: unknown) => setting.json<T>(setting.send(setting.ann, method, path, body));

  async function importProgram(source: object, confirmation: object = {}): Promise<Asset> {
    const begun = await send<Import>("POST", "/api/v1/imports", { source });
    for (;;) {
      const found = Import.parse(await send("GET", `/api/v1/imports/${begun.id}`));
      expect(found.error).toBeNull();
      if (found.state === "review") return await send<Asset>("POST", `/api/v1/imports/${begun.id}/confirm`, confirmation);
      await sleep(50);
    }
  }

  /** Asks for it now and then: the first one waits for its packages, for longer than an answer may take. */
  async function run(program: Asset, input: object = { modelId: model.id }): Promise<Run> {
    const begun = await send<Run>("POST", "/api/v1/runs", { programId: program.id, ...input });
    for (;;) {
      const found = await send<Run>("GET", `/api/v1/runs/${begun.id}`);
      if (isFinal(found.status)) return found;
      await sleep(50);
    }
  }

  it(
    "come from a repository, get their packages, reach their model and nothing else, and find no credential",
    { timeout: buildMs },
    async () => {
      git.create("triage", [{ files: { "pyproject.toml": pyproject, "main.py": triage, "search.py": search } }]);
      const program = await importProgram({ kind: "git", url: `${git.url}/triage.git` });
      expect(program).toMatchObject({
        name: "triage",
        slots: ["urgency"],
        config: { entrypoint: "main.py", network: "none", dependencies: { source: "pyproject", file: "pyproject.toml" } },
      });
      const script = ['{"result": "high"}', "Good day, Ann.", "Hello, Ann!", "Good evening to you.", "Sleep well."];
      setting.llm.behave({ script, usage: { input: 1000, output: 500 } });
      const { ann, server } = setting;
      const keyFile = readFileSync(join(server.dataDir, "credential-keys.json"), "utf8");
      const masterKey = Object.values((JSON.parse(keyFile) as { keys: Record<string, string> }).keys)[0] ?? "";
      const secrets = [providerKey, ann.headers.authorization.slice("Bearer ".length), server.localKey, masterKey];
      // The last one is there to be found: the search works.
      const args = [...secrets, "Sorts letters by how urgent"].map((text) => text.split("").toReversed().join(""));
      const done = await run(program, { args, modelId: model.id });
      expect({ status: done.status, stderr: done.error === null ? "" : done.stderr }).toEqual({ status: "succeeded", stderr: "" });
      const lines = done.stdout.trim().split("\n");
      expect(lines.filter((line) => !line.startsWith("FOUND"))).toEqual([
        "slot high",
        "instruct Hello, Ann!",
        "openai Good evening to you.",
        "anthropic Sleep well.",
        "searched",
      ]);
      const found = lines.filter((line) => line.startsWith("FOUND"));
      expect(found.length).toBeGreaterThan(0);
      expect(found.every((line) => line.includes(` ${args.at(-1)} `) && line.endsWith("main.py"))).toBe(true);

      // Five calls, of 1,000 tokens and 500: $1 and $2 a million.
      expect(done).toMatchObject({
        network: "gateway",
        models: [model.id],
        usage: { llm: { calls: 5, failed: 0, inputTokens: 5000, outputTokens: 2500, cost: 0.01, unknownCosts: 0 } },
      });
      const { items, total } = await send<{ items: LlmCall[]; total: LlmTotals }>("GET", `/api/v1/runs/${done.id}/llm-calls`);
      expect(items.map(({ protocol, status, cost }) => [protocol, status, cost])).toEqual([
        ["ollama", "succeeded", 0.002],
        ["ollama", "succeeded", 0.002],
        ["ollama", "succeeded", 0.002],
        ["openai", "succeeded", 0.002],
        ["anthropic", "succeeded", 0.002],
      ]);
      expect(total).toMatchObject({ calls: 5, cost: 0.01 });
      expect(setting.llm.seen.every(({ headers }) => headers.authorization === `Bearer ${providerKey}`)).toBe(true);
    },
  );

  it.each(upstreams)(
    "stream as they are, with the libraries of all vendors, from a model of %s",
    { timeout: buildMs },
    async (provider) => {
      setting.llm.behave({ slowMs: 15, text: longAnswer });
      const files = [
        { path: "pyproject.toml", content: pyproject },
        { path: "main.py", content: clients },
      ];
      const program = await importProgram({ kind: "files", files }, { name: `Clients of ${provider}` });
      const upstream = await setting.model(`Upstream ${provider}`, { provider });
      const done = await run(program, { modelId: upstream.id });
      expect({ stdout: done.stdout, stderr: done.stderr }).toEqual({
        stdout: clientNames.map((name) => `${name} in pieces ${longAnswer}\n`).join(""),
        stderr: "",
      });
      expect(done.usage?.llm).toMatchObject({ calls: clientNames.length, failed: 0, unknownCosts: 0 });
    },
  );

  it.each(templates)("are templates: %s", { timeout: buildMs }, async (template, { script, stdout, artifacts, calls }) => {
    const program = await importProgram({ kind: "template", template }, calls === 0 ? {} : { modelId: model.slug });
    expect(program.config).toMatchObject({ modelId: calls === 0 ? null : model.id, dependencies: { source: "pyproject" } });
    await shareLayer(program);
    setting.llm.behave({ script });
    const done = await run(program, {});
    expect([done.status, done.stderr]).toEqual(["succeeded", ""]);
    expect(done.stdout).toContain(stdout);
    expect(done.usage?.llm?.calls ?? 0).toBe(calls);
    const kept = await send<{ items: Artifact[] }>("GET", `/api/v1/runs/${done.id}/artifacts`);
    expect(kept.items.map(({ path }) => path).toSorted()).toEqual(artifacts);
    const picture = kept.items.find(({ path }) => path.endsWith(".png"));
    if (picture === undefined) return;
    const content = await (await setting.send(setting.ann, "GET", `/api/v1/runs/${done.id}/artifacts/${picture.id}`)).arrayBuffer();
    expect(Buffer.from(content).subarray(1, 4).toString()).toBe("PNG");
    expect(content.byteLength).toBeGreaterThan(5000);
  });

  /** What a template needs is in the layer of all of them; with SYLA_LONG_RUNS each builds its own. */
  async function shareLayer(program: Asset): Promise<void> {
    const file = await setting.send(setting.ann, "GET", `/api/v1/programs/${program.id}/file?path=pyproject.toml`);
    const own = /dependencies = \[(.*)\]/.exec(await file.text())?.[1] ?? "none";
    for (const dependency of own.split(", ")) expect(pyproject).toContain(dependency);
    if (isLong) return;
    const changes = [{ op: "write", file: { path: "pyproject.toml", content: pyproject } }];
    const headers = { "if-match": String(program.revision) };
    const changed = await setting.send(setting.ann, "POST", `/api/v1/programs/${program.id}/files`, { changes }, headers);
    expect(changed.status).toBe(200);
  }

  it.skipIf(!isLong)("stream with litellm, which is too large for every day", { timeout: buildMs }, async () => {
    setting.llm.behave({ slowMs: 15, text: longAnswer });
    const files = [
      { path: "requirements.txt", content: "litellm\n" },
      { path: "main.py", content: litellm },
    ];
    const done = await run(await importProgram({ kind: "files", files }, { name: "LiteLLM" }));
    expect(done.stdout).toBe(litellmNames.map((name) => `${name} in pieces ${longAnswer}\n`).join(""));
  });
});
