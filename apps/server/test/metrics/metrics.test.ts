import { readFileSync } from "node:fs";
import { request } from "node:http";
import { join } from "node:path";
import { execute } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount } from "../access/people.ts";
import { openGateway, type GatewaySetting } from "../gateway/gateway-setting.ts";
import { parseExposition, type Family } from "./exposition.ts";

const token = "a-token-for-prometheus-1";
let setting: GatewaySetting;

beforeAll(async () => {
  setting = await openGateway({ SYLA_METRICS_TOKEN: token });
});
afterAll(() => setting[Symbol.asyncDispose]());

const read = async (headers: Record<string, string> = { authorization: `Bearer ${token}` }) =>
  await fetch(`${setting.server.url}/metrics`, { headers });
const metrics = async () => parseExposition(await (await read()).text());

/** The sum of the values whose labels are these. */
function valueOf(families: Map<string, Family>, name: string, labels: Record<string, string> = {}, suffix = ""): number {
  const family = families.get(name);
  if (family === undefined) throw new Error(`there is no ${name}`);
  return family.samples
    .filter((sample) => sample.name === name + suffix && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((sum, { value }) => sum + value, 0);
}

describe("the metrics", () => {
  it("are shown to administrators and to who has the token, and to nobody else", async () => {
    const admin = await createAccount(setting.server, "admin");
    const answer = await read(admin.headers);
    expect([answer.status, answer.headers.get("content-type")]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect((await read()).status).toBe(200);
    expect((await read(setting.ann.headers)).status).toBe(403);
    const key = await setting.server.send("POST", "/api/v1/api-keys", { name: "runs only", scopes: ["runs:read"] }, admin.headers);
    expect((await read({ authorization: `Bearer ${(await setting.json<{ key: string }>(key)).key}` })).status).toBe(403);
    for (const headers of [{}, { authorization: `Bearer ${token}x` }, { authorization: "Bearer " }] as Record<string, string>[])
      expect((await read(headers)).status).toBe(401);
  });

  it("count requests by their route, runs by language and end, and calls of models, and name nobody", async () => {
    const model = await setting.model("Confidential Name");
    const before = await metrics();
    const run = await execute(
      setting.server,
      {
        language: "python",
        models: [model.id],
        code: `
import json, os, urllib.request
body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "Hello"}]}).encode()
urllib.request.urlopen(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})).read()
raise SystemExit(3)`,
      },
      setting.ann.headers,
    );
    await setting.send(setting.ann, "GET", `/api/v1/runs/${run.id}`);
    await setting.send(setting.ann, "POST", `/no/such/page/${run.id}`);
    const after = await metrics();
    const grown = (...what: [string, Record<string, string>?, string?]) => valueOf(after, ...what) - valueOf(before, ...what);
    expect(grown("syla_runs_total", { status: "failed", language: "python", kind: "execution" })).toBe(1);
    expect(grown("syla_runs_total")).toBe(1);
    expect(grown("syla_run_duration_seconds", { language: "python" }, "_count")).toBe(1);
    expect(grown("syla_http_requests_total", { method: "GET", route: "/api/v1/runs/:id", status: "2xx" })).toBe(1);
    expect(grown("syla_http_requests_total", { status: "4xx", route: "none" })).toBe(1);
    expect(grown("syla_model_calls_total", { provider: "openai", operation: "chat", status: "succeeded" })).toBe(1);
    expect(grown("syla_model_tokens_total", { direction: "input" })).toBe(run.usage?.llm?.inputTokens);
    expect(grown("syla_model_cost_dollars_total", { provider: "openai" })).toBeCloseTo(run.usage?.llm?.cost ?? -1, 9);
    expect(valueOf(after, "syla_queue_runs", { state: "queued" })).toBe(0);
    expect(valueOf(after, "syla_database_connections")).toBeGreaterThan(0);
    expect(valueOf(after, "syla_sandbox_jails", { state: "owned" })).toBeGreaterThan(0);
    const labels = [...after.values()].flatMap(({ samples }) => samples.flatMap((sample) => Object.values(sample.labels))).join("\n");
    for (const secret of [run.id, model.id, model.name, model.slug, setting.ann.id, setting.ann.email, "/no/such/page"])
      expect(labels).not.toContain(secret);
  });

  it("have everything that the dashboard asks for", async () => {
    const known = await metrics();
    const dashboard = readFileSync(join(import.meta.dirname, "../../../../deploy/grafana/syla.json"), "utf8");
    const asked = new Set(dashboard.match(/\b(?:syla|process|nodejs)_[a-z_]+/g));
    expect(asked.size).toBeGreaterThan(10);
    const missing = [...asked].filter((name) => !known.has(name.replace(/_(?:bucket|sum|count)$/, "")) && !known.has(name));
    expect(missing).toEqual([]);
  });
});

describe("a server whose metrics are open to its machine", () => {
  it("shows them to who calls from there, not to who comes through a proxy or a browser", async () => {
    await using other = await openGateway({ SYLA_METRICS: "here" });
    const status = (headers: Record<string, string>) =>
      new Promise<number | undefined>((resolve, reject) => {
        const sent = request(`${other.server.url}/metrics`, { headers }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        });
        sent.on("error", reject).end();
      });
    expect(await status({})).toBe(200);
    const headers = ["x-forwarded-for", "forwarded", "x-real-ip", "via", "sec-fetch-site"];
    const statuses = await Promise.all(headers.map(async (name) => [name, await status({ [name]: "192.0.2.1" })]));
    expect(statuses).toEqual(headers.map((name) => [name, 401]));
  });
});
