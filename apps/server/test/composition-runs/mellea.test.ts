import { execFile } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { CompositionCode } from "@syla/contracts/compositions";
import type { FlowGraph } from "@syla/contracts/flow";
import type { Model } from "@syla/contracts/models";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openGateway, providerKey, type GatewaySetting } from "../gateway/gateway-setting.ts";
import { compositionsOf, type Compositions } from "./setting.ts";

const root = join(import.meta.dirname, "../../../..");
const uv = join(root, ".build/runtimes/uv/uv");
const run = promisify(execFile);
/** A virtual environment with mellea from the index of everybody takes minutes. */
const isLong = process.env["SYLA_LONG_RUNS"] !== undefined;

/** What the model says to everything, and what then comes out. */
const cases: [name: string, inputs: Record<string, unknown>, says: string, outputs: Record<string, unknown>][] = [
  ["ensemble-vote", { review: "It broke." }, '{"result": "negative"}', { sentiment: "negative" }],
  ["repair", { notes: "- buy tea" }, "yes", { mail: "yes" }],
];

describe.skipIf(!existsSync(uv) || !isLong)("a composition with mellea", () => {
  let setting: GatewaySetting;
  let of: Compositions;
  let model: Model;
  let outside: TemporaryDirectory;

  beforeAll(async () => {
    outside = createTemporaryDirectory();
    setting = await openGateway({ SYLA_UV: uv, SYLA_RATE_LIMIT: "0" });
    of = compositionsOf(setting.server, setting.ann);
    model = await setting.model("Granite");
    await run(uv, ["venv", "--quiet", join(outside.path, "venv")]);
    await run(uv, ["pip", "install", "--quiet", "--python", join(outside.path, "venv/bin/python"), "mellea>=0.8,<0.9"]);
  }, 900_000);
  afterAll(async () => {
    await setting[Symbol.asyncDispose]();
    outside[Symbol.dispose]();
  });

  it.each(cases)("computes here what its file computes elsewhere: %s", { timeout: 900_000 }, async (name, inputs, says, outputs) => {
    setting.llm.behave({ text: says });
    const example = JSON.parse(readFileSync(join(root, "examples/compositions", `${name}.json`), "utf8")) as FlowGraph;
    const nodes = example.nodes.map((node) =>
      node.kind === "model"
        ? {
            ...node,
            config: {
              ...node.config,
              model: { id: model.id },
              provider: "openai",
              modelId: "upstream-1",
              baseUrl: `${setting.llm.url}/v1`,
            },
          }
        : node,
    );
    const id = await of.make({ ...example, nodes });
    const here = await of.run(id, { inputs, profile: "medium" });
    expect({ status: here.status, error: here.error }).toEqual({ status: "succeeded", error: null });
    expect(JSON.parse(here.stdout)).toEqual(outputs);

    const { code } = await of.json<CompositionCode>(of.send("GET", `/compositions/${id}/code`));
    expect(code).not.toContain("syla");
    const file = join(outside.path, `${name}.py`);
    writeFileSync(file, code);
    const env = { PATH: process.env["PATH"] ?? "", HOME: outside.path, OPENAI_API_KEY: providerKey };
    const { stdout } = await run(join(outside.path, "venv/bin/python"), [file, JSON.stringify(inputs)], { env });
    expect(JSON.parse(stdout)).toEqual(outputs);
  });
});
