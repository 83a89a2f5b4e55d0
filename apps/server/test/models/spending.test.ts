import type { Budget } from "@syla/contracts/budgets";
import type { LlmCall, Model, ModelUsage } from "@syla/contracts/models";
import type { Notification } from "@syla/contracts/notifications";
import type { UsageGroups } from "@syla/contracts/usage";
import { adoptEmailGrants } from "@syla/server/access/sharing/service";
import { sweepCalls } from "@syla/server/gateway/sweeper";
import { RunTokens } from "@syla/server/gateway/run-tokens/service";
import { holdBack, settleHeld } from "@syla/server/spend/service";
import { execute } from "@syla/testkit/runs";
import { sql } from "kysely";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { openGateway, type GatewaySetting } from "../gateway/gateway-setting.ts";

let setting: GatewaySetting;
let bob: Person;
let model: Model;
let count = 0;

beforeAll(async () => {
  setting = await openGateway();
});
beforeEach(async () => {
  setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok" });
  setting.llm.seen.length = 0;
  bob = await createAccount(setting.server);
  count += 1;
  // A call costs a tenth of a cent at least: 1000 of input at $1 and 1000 of output at $2 a million are $0.003.
  model = await setting.model(`Model ${count}`);
});
afterAll(() => setting[Symbol.asyncDispose]());

const { parse } = JSON;
const api = (person: Person, method: string, path: string, body?: unknown) => setting.send(person, method, `/api/v1${path}`, body);
const call = async (person: Person, more: object = {}) => {
  const answer = await setting.send(person, "POST", "/v1/chat/completions", {
    model: model.id,
    max_tokens: 1000,
    messages: [{ role: "user", content: "x" }],
    ...more,
  });
  return { status: answer.status, error: (parse(await answer.text()) as { error?: { code: string; message: string } }).error };
};
const grant = (person: Person, level = "run") =>
  share(setting.server, setting.ann, { resourceType: "asset", resourceId: model.id, email: person.email, level });
const cap = async (subject: string, amount: number, period = "month") =>
  await api(setting.ann, "PATCH", `/models/${model.id}/caps/${subject}`, { amount, period });
const usage = async () => await setting.json<ModelUsage>(api(setting.ann, "GET", `/models/${model.id}/usage`));

describe("sharing a model", () => {
  const sharing = (path: string, more: object) => api(setting.ann, "POST", path, { resourceType: "asset", resourceId: model.id, ...more });
  const caps = async () => (await usage()).caps.map(({ subject, amount, period }) => ({ subject, amount, period }));
  const made = async (answer: Promise<Response>) => {
    const document = await setting.json<{ id: string; grant?: { id: string } }>(answer);
    return document.grant?.id ?? document.id;
  };

  it("caps what may be spent: as it is said, as is usual, or not at all when that is said", async () => {
    const to = { email: bob.email };
    const usual = { amount: 10, period: "month" };
    const subject = await made(sharing("/grants", { ...to, level: "view" }));
    expect(await caps()).toEqual([]);
    const change = (body: object) => api(setting.ann, "PATCH", `/grants/${subject}`, body);
    expect((await change({ level: "run" })).status).toBe(200);
    expect(await caps()).toEqual([{ subject, ...usual }]);
    expect((await change({ cap: { amount: 3, period: "day" } })).status).toBe(200);
    expect((await change({ level: "edit" })).status).toBe(200);
    expect(await caps()).toEqual([{ subject, amount: 3, period: "day" }]);
    expect((await change({ cap: null })).status).toBe(200);
    expect((await change({ expiresAt: null })).status).toBe(200);
    expect(await caps()).toEqual([]);
    const link = await made(sharing("/share-links", { level: "run" }));
    const other = await createAccount(setting.server);
    const own = await made(sharing("/grants", { email: other.email, level: "run", cap: { amount: 1, period: "total" } }));
    expect(await caps()).toEqual(
      expect.arrayContaining([
        { subject: link, ...usual },
        { subject: own, amount: 1, period: "total" },
      ]),
    );
    expect((await sharing("/grants", { ...to, level: "run", cap: { amount: -1, period: "day" } })).status).toBe(400);
  });

  it("caps what was shared before it cost anything, or cost somebody else", async () => {
    const prices = { input: null, output: null };
    const free = await setting.model(`Free ${count}`, { provider: "ollama", credentialId: null, prices });
    const other = await createAccount(setting.server);
    const shared = async (more: object) => await made(sharing("/grants", { resourceId: free.id, level: "run", ...more }));
    await shared({ email: other.email, level: "view" });
    const subject = await shared({ email: bob.email });
    const capsOf = async () => (await setting.json<ModelUsage>(api(setting.ann, "GET", `/models/${free.id}/usage`))).caps;
    const change = async (more: object, path = `/models/${free.id}`) => {
      const { revision } = await setting.json<Model>(api(setting.ann, "GET", `/models/${free.id}`));
      const body = { config: { ...free.config, ...more } };
      const answer = await setting.send(setting.ann, "PATCH", `/api/v1${path}`, body, { "if-match": `"${revision}"` });
      return (await setting.json<{ code?: string }>(answer)).code ?? answer.status;
    };
    expect(await change({ modelId: "another" })).toBe(200);
    expect(await change({ provider: "openai", credentialId: setting.credentialId })).toBe("price_unknown");
    expect(await capsOf()).toEqual([]);
    expect(await change({ prices: { input: 1, output: 2 } }, `/assets/${free.id}`)).toBe(200);
    expect(await capsOf()).toMatchObject([{ subject, amount: 10, period: "month" }]);
    expect((await api(setting.ann, "PATCH", `/grants/${subject}`, { cap: null })).status).toBe(200);
    expect(await change({ modelId: "one more", prices: { input: 1, output: 2 } })).toBe(200);
    expect(await capsOf()).toEqual([]);
    const team = await setting.json<{ id: string }>(api(setting.ann, "POST", "/teams", { name: `Team ${count}` }));
    expect((await api(setting.ann, "POST", `/assets/${free.id}/transfer`, { ownerId: team.id })).status).toBe(200);
    expect(await capsOf()).toMatchObject([{ subject, amount: 10 }]);
    expect((await api(setting.ann, "PATCH", `/grants/${subject}`, { cap: null })).status).toBe(200);
    expect((await api(setting.ann, "DELETE", `/teams/${team.id}?transferTo=me`)).status).toBeLessThan(300);
    expect(await capsOf()).toMatchObject([{ subject, amount: 10 }]);
  });

  it("keeps the cap of a grant to an address when it becomes one of somebody who could only look", async () => {
    const [looking, running] = [await createAccount(setting.server), await createAccount(setting.server)];
    const subject = await made(sharing("/grants", { email: looking.email, level: "view" }));
    await made(sharing("/grants", { email: running.email, level: "run", cap: null }));
    for (const { id } of [looking, running]) {
      const email = `once-${id}@example.org`;
      await made(sharing("/grants", { email, level: "run", cap: { amount: 3, period: "day" } }));
      await setting.server.context.database.queries.transaction().execute((work) => adoptEmailGrants(work, id, email));
    }
    const bySubject = new Map((await caps()).map((one) => [one.subject, one]));
    expect(bySubject.get(subject)).toEqual({ subject, amount: 3, period: "day" });
    // One for each grant to an address is left over: the other person may spend what they could.
    expect(bySubject.size).toBe(3);
  });

  it("asks what may be spent where that is not usual, or nobody can count it", async () => {
    const unpriced = await setting.model(`Unpriced ${count}`, { prices: {} });
    const free = await setting.model(`Free ${count}`, { provider: "ollama", credentialId: null, prices: {} });
    const to = (resourceId: string, more: object = {}) => sharing("/grants", { resourceId, email: bob.email, level: "run", ...more });
    const code = async (answer: Promise<Response>) => (await setting.json<{ code?: string }>(answer)).code;
    expect(await code(to(unpriced.id))).toBe("conflict");
    expect(await code(to(unpriced.id, { cap: { amount: 1, period: "day" } }))).toBe("price_unknown");
    expect((await to(unpriced.id, { cap: null })).status).toBe(201);
    expect((await to(free.id)).status).toBe(201);
    const choose = (modelShareCap: string | null) => setting.server.send("PATCH", "/api/v1/admin/settings", { values: { modelShareCap } });
    await choose("-1");
    expect(await code(to(model.id))).toBe("conflict");
    await choose("0");
    expect((await to(model.id)).status).toBe(201);
    await choose(null);
    expect((await call(bob)).status).toBe(402);
  });
});

describe("leave to spend", () => {
  it("comes with a grant to run, works without seeing anything of the credential, and ends when it is taken back", async () => {
    expect(await call(bob)).toMatchObject({ status: 404, error: { code: "unknown_model" } });
    const id = await grant(bob);
    expect((await call(bob)).status).toBe(200);
    const seen = await setting.json<Model>(api(bob, "GET", `/models/${model.id}`));
    expect(seen).toMatchObject({ config: null, usable: true, level: "run" });
    const asset = await (await api(bob, "GET", `/assets/${model.id}`)).text();
    expect(JSON.stringify(seen) + asset).not.toContain(setting.credentialId);
    expect(asset).not.toContain(setting.llm.url);
    expect((await api(bob, "GET", `/models/${model.id}/usage`)).status).toBe(403);
    expect((await api(setting.ann, "DELETE", `/grants/${id}`)).status).toBe(204);
    expect(await call(bob)).toMatchObject({ status: 404 });
  });

  it("is not in a grant to view", async () => {
    await grant(bob, "view");
    expect(await call(bob)).toMatchObject({ status: 403, error: { message: expect.stringContaining("no leave to spend") as string } });
    expect(await setting.json(api(bob, "GET", `/models/${model.id}`))).toMatchObject({ usable: false });
  });

  it("ends at the cap of the grant, said clearly, and the owner sees who spent what", async () => {
    const id = await grant(bob);
    expect((await cap(id, 0.01)).status).toBe(200);
    const results = [await call(bob), await call(bob), await call(bob), await call(bob)];
    expect(results.map(({ status }) => status)).toEqual([200, 200, 200, 402]);
    const { error } = results[3] ?? {};
    expect(error).toMatchObject({ code: "spend_cap_reached" });
    expect(error?.message).toMatch(
      /The cap of \$0\.01 a month on the grant for .* is reached: \$0\.009.* are spent.*It is counted anew at 20\d\d-\d\d-01T00:00:00/,
    );
    expect(setting.llm.seen).toHaveLength(3);
    const { people, total, caps } = await usage();
    expect(people).toMatchObject([{ id: bob.id, calls: 4, failed: 1, cost: 0.009 }]);
    expect(total).toMatchObject({ calls: 4, inputTokens: 3000, outputTokens: 3000, cost: 0.009 });
    expect(caps).toMatchObject([{ subject: id, name: bob.email, amount: 0.01, spent: 0.009, held: 0, period: "month" }]);
    expect((await cap(id, 1)).status).toBe(200);
    expect((await call(bob)).status).toBe(200);
    expect((await call(setting.ann)).status).toBe(200);
  });

  it("is not passed by calls at the same time", async () => {
    const id = await grant(bob);
    await cap(id, 0.01);
    setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok", slowMs: 50 });
    const results = await Promise.all(Array.from({ length: 12 }, () => call(bob)));
    expect(results.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(4);
    const [state] = (await usage()).caps;
    expect(state?.held).toBe(0);
    expect(state?.spent).toBeLessThanOrEqual(0.0125);
  });

  it("is never passed by a hundred calls at once, not even by what is held back for those in flight", async () => {
    const id = await grant(bob);
    // For each call a little more than 0.002 is held back: 1000 of output, and its words.
    await cap(id, 0.02);
    const { queries } = setting.server.context.database;
    const scope = `cap:${model.id}:${id}`;
    const most = { spent: 0, reserved: 0, together: 0 };
    const over = new AbortController();
    const watch = (async () => {
      while (!over.signal.aborted) {
        const row = await queries.selectFrom("spend_counters").select(["spent", "reserved"]).where("scope", "=", scope).executeTakeFirst();
        const { spent = 0, reserved = 0 } = row ?? {};
        most.spent = Math.max(most.spent, spent);
        most.reserved = Math.max(most.reserved, reserved);
        most.together = Math.max(most.together, spent + reserved);
      }
    })();
    // The provider counts less than what was held: whatever is let in is within the cap.
    setting.llm.behave({ usage: { input: 10, output: 900 }, text: "ok", slowMs: 20 });
    const results = await Promise.all(Array.from({ length: 100 }, () => call(bob)));
    over.abort();
    await watch;
    const letIn = results.filter(({ status }) => status === 200).length;
    expect(results.filter(({ status }) => status === 402)).toHaveLength(100 - letIn);
    expect(letIn).toBeGreaterThanOrEqual(9);
    expect(setting.llm.seen).toHaveLength(letIn);
    expect(most.reserved).toBeGreaterThan(0);
    expect(most.together).toBeLessThanOrEqual(20_000_000);
    expect((await usage()).caps).toMatchObject([{ held: 0, spent: expect.closeTo(letIn * 0.00181, 6) as number }]);
    // A provider that counts more than could be known costs that, once for each call in flight, and the next is refused.
    const before = most.spent;
    setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok", slowMs: 20 });
    await cap(id, 0.04);
    const more = (await Promise.all(Array.from({ length: 100 }, () => call(bob)))).filter(({ status }) => status === 200).length;
    const [state] = (await usage()).caps;
    expect(state).toMatchObject({ held: 0, spent: expect.closeTo(before / 1e9 + more * 0.003, 6) as number });
    expect(state?.spent).toBeLessThanOrEqual(0.04 + more * (0.003 - 0.002));
    expect(await call(bob)).toMatchObject({ status: 402 });
  });

  it("gives back what was held when a call fails", async () => {
    const id = await grant(bob);
    await cap(id, 0.01);
    setting.llm.behave({ status: 400 });
    await call(bob);
    expect((await usage()).caps).toMatchObject([{ spent: 0, held: 0 }]);
  });

  it("needs known prices for a cap, and a cap for everybody", async () => {
    const unpriced = await setting.model(`Unpriced ${count}`, { prices: {} });
    expect(
      await setting.json(
        api(setting.ann, "PATCH", `/models/${unpriced.id}`, { visibility: "public", publicCap: { amount: 1, period: "day" } }),
      ),
    ).toMatchObject({ code: "price_unknown" });
    expect(await setting.json(api(setting.ann, "PATCH", `/models/${model.id}`, { visibility: "public" }))).toMatchObject({
      code: "conflict",
    });
    const asset = await setting.server.send(
      "PATCH",
      `/api/v1/assets/${model.id}`,
      { visibility: "public" },
      { ...setting.ann.headers, "if-match": "*" },
    );
    expect(asset.status).toBe(409);
    const opened = await setting.json<Model>(
      api(setting.ann, "PATCH", `/models/${model.id}`, { visibility: "public", publicCap: { amount: 0.004, period: "day" } }),
    );
    expect(opened.visibility).toBe("public");
    // A change that is refused changes nothing of the cap either.
    const refused = { revision: 1, name: "Other" };
    const wider = await api(setting.ann, "PATCH", `/models/${model.id}`, { publicCap: { amount: 50, period: "day" }, ...refused });
    expect(wider.status).toBe(412);
    expect((await usage()).caps).toMatchObject([{ subject: "public", amount: 0.004 }]);
    const carl = await createAccount(setting.server, "end_user");
    expect((await call(carl)).status).toBe(200);
    expect(await call(bob)).toMatchObject({
      status: 402,
      error: { message: expect.stringContaining("what everybody may spend") as string },
    });
    expect((await api(setting.ann, "DELETE", `/models/${model.id}/caps/public`)).status).toBe(409);
  });

  it("is held back for all that a call may write", async () => {
    const id = await grant(bob);
    await cap(id, 0.01);
    for (const more of [
      { max_completion_tokens: 1, max_tokens: 6000 },
      { max_tokens: 1000, n: 6 },
      { max_tokens: 1000, n: 1, best_of: 6 },
    ])
      expect(await call(bob, more)).toMatchObject({ status: 402 });
    expect(setting.llm.seen).toEqual([]);
    // What says nothing may write what is held back, and no more.
    expect((await call(bob, { max_tokens: null })).status).toBe(200);
    expect(setting.llm.seen[0]?.body).toMatchObject({ max_completion_tokens: 4096 });
    await call(setting.ann, { max_tokens: null });
    expect(setting.llm.seen[1]?.body).not.toHaveProperty("max_completion_tokens");
  });

  it.each([
    [{ background: true }, "background"],
    [{ service_tier: "priority" }, "service_tier"],
    [{ models: ["dear"] }, "models"],
    [{ fallbacks: ["dear"] }, "fallbacks"],
    [{ route: "fallback" }, "route"],
    [{ tools: [{ type: "function", function: { name: "f" } }, { type: "web_search" }] }, "tools.1.type"],
  ])("is not for %j, which the owner may ask for", async (more, field) => {
    const id = await grant(bob);
    await cap(id, 1);
    expect(await call(bob, more)).toMatchObject({
      status: 400,
      error: { code: "invalid_request", message: expect.stringContaining(`\`${field}\``) as string },
    });
    expect(setting.llm.seen).toEqual([]);
    expect((await call(setting.ann, more)).status).toBe(200);
  });

  it("reaches nothing but the model: not other prices, the provider's tools, what the account has stored, or words nobody knows here", async () => {
    const id = await grant(bob);
    await cap(id, 1);
    const claude = await setting.model(`Claude ${count}`, { provider: "anthropic" });
    const llama = await setting.model(`Llama ${count}`, { provider: "ollama" });
    const home = await setting.model(`Home ${count}`, { provider: "openai-compatible" });
    for (const { id: resourceId } of [claude, llama, home]) {
      const of = await share(setting.server, setting.ann, { resourceType: "asset", resourceId, email: bob.email, level: "run" });
      await api(setting.ann, "PATCH", `/models/${resourceId}/caps/${of}`, { amount: 1, period: "month" });
    }
    const messages = [{ role: "user", content: "x" }];
    const part = (content: object) => ({ messages: [{ role: "user", content: [content] }] });
    const item = (input: object) => ({ input: [input] });
    const [chat, responses, claudes, llamas, homes] = [
      { path: "/v1/chat/completions", model: model.id, messages, max_tokens: 100 },
      { path: "/v1/responses", model: model.id, input: "x", max_output_tokens: 100 },
      { path: "/v1/messages", model: claude.id, messages, max_tokens: 100 },
      { path: "/api/chat", model: llama.id, messages, stream: false },
      { path: "/v1/chat/completions", model: home.id, messages, max_tokens: 100 },
    ];
    const send = async (person: Person, base: { path: string }, more: object) => {
      const { path, ...body } = { ...base, ...more };
      const answer = await setting.send(person, "POST", path, body, {
        "anthropic-beta": "context-1m-2025-08-07,prompt-caching-2024-07-31",
      });
      return { status: answer.status, text: await answer.text() };
    };
    const picture = "data:image/png;base64,aGVsbG8=";
    for (const [base, more, field] of [
      [chat, { web_search_options: {} }, "web_search_options"],
      [chat, { plugins: [{ id: "web" }] }, "plugins"],
      [chat, { extra_body: { api_base: "http://x" } }, "extra_body"],
      [chat, { provider: { order: ["dear"] } }, "provider"],
      [chat, { store: true }, "store"],
      [chat, { metadata: { project: "x" } }, "metadata"],
      [chat, { modalities: ["text", "audio"] }, "modalities"],
      [chat, { prediction: { type: "content", content: "x" } }, "prediction"],
      [chat, { Model: "dear" }, "Model"],
      [chat, { "max_to\u212Aens": 1e6 }, "max_to\u212Aens"],
      [chat, part({ type: "file", file: { file_id: "file-1" } }), "messages.0.content.0.file.file_id"],
      [responses, { previous_response_id: "resp_1" }, "previous_response_id"],
      [responses, { conversation: "conv_1" }, "conversation"],
      [responses, { prompt: { id: "pmpt_1" } }, "prompt"],
      [responses, { tools: [{ type: "mcp", server_url: "https://x.example" }] }, "tools.0.type"],
      [responses, item({ type: "item_reference", id: "rs_1" }), "input.0.type"],
      [responses, item({ type: "additional_tools", role: "developer", tools: [{ type: "code_interpreter" }] }), "input.0.type"],
      [responses, item({ role: "user", content: [{ type: "input_image", file_id: "file-1" }] }), "input.0.content.0.file_id"],
      [claudes, { mcp_servers: [{ url: "https://x.example" }] }, "mcp_servers"],
      [claudes, { container: "c_1" }, "container"],
      [claudes, { speed: "fast" }, "speed"],
      [claudes, { inference_geo: "us" }, "inference_geo"],
      [claudes, { tools: [{ type: "code_execution_20250825", name: "code_execution" }] }, "tools.0.type"],
      [claudes, part({ type: "container_upload", file_id: "file_1" }), "messages.0.content.0.type"],
      [claudes, part({ type: "image", source: { type: "file", file_id: "file_1" } }), "messages.0.content.0.source.file_id"],
      [
        claudes,
        part({ type: "text", text: "x", cache_control: { type: "ephemeral", ttl: "1h" } }),
        "messages.0.content.0.cache_control.ttl",
      ],
      [llamas, { keep_alive: -1 }, "keep_alive"],
      [llamas, { options: { num_gpu: 0 } }, "options.num_gpu"],
      [llamas, { options: { num_ctx: 10_000_000 } }, "options.num_ctx"],
      [homes, part({ type: "image_url", image_url: { url: "http://169.254.169.254/" } }), "messages.0.content.0.image_url.url"],
    ] as const) {
      const refused = await send(bob, base, more);
      expect({ field, ...refused }).toMatchObject({ field, status: 400, text: expect.stringContaining(`\`${field}\``) as string });
    }
    expect(setting.llm.seen).toEqual([]);
    for (const [base, more] of [
      [chat, { tools: [{ type: "function", function: { name: "f" } }], seed: 1, n: 2, store: false, response_format: { type: "text" } }],
      [chat, part({ type: "image_url", image_url: { url: "https://example.org/a.png" } })],
      [homes, part({ type: "image_url", image_url: { url: picture } })],
      [responses, item({ role: "user", content: [{ type: "input_text", text: "x" }] })],
      [
        claudes,
        { tools: [{ name: "f", input_schema: { type: "object" } }], system: [{ type: "text", text: "x" }], metadata: { user_id: "u" } },
      ],
      [llamas, { options: { temperature: 0, num_ctx: 4096 }, tools: [{ type: "function", function: { name: "f" } }] }],
    ] as const)
      expect(await send(bob, base, more)).toMatchObject({ status: 200 });
    const seen = (path: string) => setting.llm.seen.filter((request) => request.path === path);
    // What a delegate says does not stay in the owner's account, and turns on nothing there.
    expect(seen("/v1/responses")[0]?.body).toMatchObject({ store: false });
    expect(seen("/v1/messages")[0]?.headers["anthropic-beta"]).toBe("prompt-caching-2024-07-31");
    setting.llm.seen.length = 0;
    expect(await send(setting.ann, responses, { previous_response_id: "resp_1", tools: [{ type: "web_search" }] })).toMatchObject({
      status: 200,
    });
    expect(seen("/v1/responses")[0]?.body).not.toHaveProperty("store");
    expect(await send(setting.ann, claudes, { speed: "fast" })).toMatchObject({ status: 200 });
    expect(seen("/v1/messages")[0]?.headers["anthropic-beta"]).toContain("context-1m");
    for (const more of [{ n: 129 }, { Stream: true }, { "max_to\u212Aens": 1 }])
      expect(await send(setting.ann, chat, more)).toMatchObject({ status: 400 });
  });

  it("is used up by a call that is cut short", async () => {
    const id = await grant(bob);
    await cap(id, 0.01);
    setting.llm.behave({ stall: true });
    await call(bob, { max_tokens: 4000 });
    expect((await usage()).caps[0]?.spent).toBeGreaterThanOrEqual(0.008);
    expect(await call(bob)).toMatchObject({ status: 402 });
  });

  it("is for the roles that the model answers", async () => {
    const only = await setting.model(`Developers ${count}`, { roles: ["developer"] });
    const carl = await createAccount(setting.server, "end_user");
    await share(setting.server, setting.ann, { resourceType: "asset", resourceId: only.id, email: carl.email, level: "run" });
    expect(await call(carl, { model: only.id })).toMatchObject({ status: 403 });
  });

  it("ends at the caller's own quota of the month", async () => {
    await grant(bob);
    await setting.server.send("PATCH", `/api/v1/quotas/${bob.id}`, { llmSpendPerMonth: 0 });
    const refused = await setting.send(bob, "POST", "/v1/chat/completions", {
      model: model.id,
      messages: [{ role: "user", content: "x" }],
    });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    await setting.server.send("PATCH", `/api/v1/quotas/${bob.id}`, { llmSpendPerMonth: 1 });
    expect((await call(bob)).status).toBe(200);
    const { items } = await setting.json<{ items: { name: string; used: number; limit: number }[] }>(api(bob, "GET", "/quotas"));
    expect(items.find(({ name }) => name === "llmSpendPerMonth")).toMatchObject({ limit: 1, used: 0 });
  });

  it("ends at the quota of the key, also of runs that are started with it, and nothing else of its person", async () => {
    const made = await setting.json<{ id: string; key: string }>(
      api(setting.ann, "POST", "/api-keys", { name: "CI", scopes: ["models:use", "runs:write", "runs:read"] }),
    );
    const service = { ...setting.ann, headers: { authorization: `Bearer ${made.key}` } };
    const quota = async () =>
      (
        await setting.json<{ items: { name: string; limit: number | null; used: number | null; resetsAt: string | null }[] }>(
          api(setting.ann, "GET", `/api-keys/${made.id}/quotas`),
        )
      ).items.find(({ name }) => name === "llmSpendPerMonth");
    const set = (input: object) => api(setting.ann, "PATCH", `/api-keys/${made.id}/quotas`, input);
    expect(await quota()).toMatchObject({ limit: null, used: null });
    // A call costs $0.3: 1000 of input and 1000 of output at $100 and $200 a million. The hold of one is $0.2 and a little.
    const dear = await setting.model(`Dear ${count}`, { prices: { input: 100, output: 200 } });
    const dearCall = (person: Person) => call(person, { model: dear.id });
    await set({ llmSpendPerMonth: 1 });
    const results = await Promise.all(Array.from({ length: 12 }, () => dearCall(service)));
    const allowed = results.filter(({ status }) => status === 200).length;
    expect(allowed).toBeGreaterThan(0);
    expect(allowed).toBeLessThan(5);
    while ((await dearCall(service)).status === 200);
    expect((await quota())?.used).toBeLessThan(1.3);
    const run = await execute(
      setting.server,
      {
        language: "python",
        models: [dear.id],
        code: `import json, os, urllib.request, urllib.error
body = {"model": "m", "max_tokens": 1000, "messages": [{"role": "user", "content": "x"}]}
request = urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", json.dumps(body).encode(), {"content-type": "application/json"})
try: print(urllib.request.urlopen(request).status)
except urllib.error.HTTPError as error: print(error.code, error.read().decode())`,
      },
      service.headers,
    );
    expect(run.stdout).toMatch(/^429 .*The API key “CI” \(.*\) has spent \$[\d.]+ of the \$1\.00 .* It is counted anew at \d{4}-/);
    expect((await dearCall(setting.ann)).status).toBe(200);
    const told = await setting.json<{ items: { type: string; details: { apiKeyId?: string } }[] }>(
      api(setting.ann, "GET", "/notifications"),
    );
    expect(told.items.filter(({ details }) => details.apiKeyId === made.id).length).toBeGreaterThan(0);
    await set({ llmSpendPerMonth: null });
    expect((await dearCall(service)).status).toBe(200);
    for (const bad of [-1, 1.5, "1"]) expect((await set({ llmSpendPerMonth: bad })).status).toBe(400);
    await api(setting.ann, "DELETE", `/api-keys/${made.id}`);
    const { queries } = setting.server.context.database;
    expect(await queries.selectFrom("spend_counters").selectAll().where("scope", "=", `key:${made.id}`).execute()).toEqual([]);
  });

  it("is given back to the key when a call fails before anything is spent", async () => {
    const made = await setting.json<{ id: string; key: string }>(
      api(setting.ann, "POST", "/api-keys", { name: "CI", scopes: ["models:use"] }),
    );
    expect((await api(setting.ann, "PATCH", `/api-keys/${made.id}/quotas`, { llmSpendPerMonth: 1 })).status).toBe(200);
    // A call costs $0.3; $0.2 and a little are held back for it.
    const { id: dear } = await setting.model(`Given back ${count}`, { prices: { input: 100, output: 200 } });
    const person = { ...setting.ann, headers: { authorization: `Bearer ${made.key}` } };
    const { queries } = setting.server.context.database;
    const counter = () =>
      queries.selectFrom("spend_counters").select(["spent", "reserved"]).where("scope", "=", `key:${made.id}`).execute();
    for (const failure of [{ status: 400 }, { status: 401 }, { redirect: "http://x" }]) {
      setting.llm.behave(failure);
      expect((await call(person, { model: dear })).status).not.toBe(200);
      expect(await counter()).toEqual([{ spent: 0, reserved: 0 }]);
    }
    await queries
      .updateTable("credentials")
      .set({ expires_at: new Date(0) })
      .where("id", "=", setting.credentialId)
      .execute();
    expect(await call(person, { model: dear })).toMatchObject({ status: 409 });
    expect(await counter()).toEqual([{ spent: 0, reserved: 0 }]);
    await queries.updateTable("credentials").set({ expires_at: null }).where("id", "=", setting.credentialId).execute();
    setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok" });
    const statuses: number[] = [];
    for (let calls = 0; calls < 4; calls += 1) statuses.push((await call(person, { model: dear })).status);
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it("is one for all servers: what one holds back for a key, another sees", async () => {
    const { database } = setting.server.context;
    const quota = { userId: "user_x", limit: null, key: { id: `key_${count}`, name: "CI", limit: 100 }, budgets: [] };
    const hold = () =>
      database.queries
        .transaction()
        .execute((work) =>
          holdBack(work, { modelId: model.id, amount: 30, quota, leaves: [{ subject: null, name: "", limit: null, period: "month" }] }),
        );
    const held = await Promise.allSettled(Array.from({ length: 20 }, hold));
    expect(held.filter(({ status }) => status === "fulfilled")).toHaveLength(3);
  });

  it("is settled in the order in which it is held, whatever a call came to count against later", async () => {
    const { queries } = setting.server.context.database;
    const periodStart = new Date();
    const [user, one, two, capped] = [`user:${count}`, `budget:${count}a`, `budget:${count}b`, `cap:${count}`];
    const scopes = [user, capped, two, one].map((scope) => ({ scope, periodStart: periodStart.toISOString() }));
    await queries
      .insertInto("spend_counters")
      .values(scopes.map(({ scope }) => ({ scope, period_start: periodStart, reserved: 5 })))
      .execute();
    const free = async () => {
      const { rows } = await sql<{ scope: string }>`
        select scope from spend_counters where period_start = ${periodStart} order by 1 for update skip locked`.execute(queries);
      return rows.map(({ scope }) => scope);
    };
    let settled = Promise.resolve();
    await queries.transaction().execute(async (work) => {
      await sql`select from spend_counters where scope = ${one} for update`.execute(work);
      settled = queries.transaction().execute((other) => settleHeld(other, scopes, 5, 1));
      await expect.poll(free).toEqual([two, capped]);
    });
    await settled;
    expect(await free()).toHaveLength(4);
  });

  it("counts what was held for a call whose server died", async () => {
    const id = await grant(bob);
    await cap(id, 0.01);
    await call(bob);
    const { queries } = setting.server.context.database;
    const lost = { status: "running", reserved: 5_000_000, started: "3 hours" };
    await sql`update llm_calls set status = ${lost.status}, reserved = ${lost.reserved}, cost = null, started_at = now() - ${lost.started}::interval where model_id = ${model.id}`.execute(
      queries,
    );
    await sql`update spend_counters set reserved = 5000000, spent = 0 where scope like ${`cap:${model.id}:%`}`.execute(queries);
    const sweep = () => sweepCalls({ ...setting.server.context, runTokens: new RunTokens(queries) });
    expect(await sweep()).toBe(1);
    expect((await usage()).caps).toMatchObject([{ spent: 0.005, held: 0 }]);
    const { items } = await setting.json<{ items: LlmCall[] }>(api(setting.ann, "GET", `/models/${model.id}/calls`));
    expect(items).toMatchObject([{ status: "lost", isEstimate: true, cost: 0.005 }]);
  });
});

describe("a budget", () => {
  // One of everybody would stop what comes after a test that has failed.
  afterEach(async () => void (await setting.server.context.database.queries.deleteFrom("budgets").execute()));
  const set = async (person: Person, input: object) => await setting.json<Budget>(api(person, "POST", "/budgets", input));
  const list = async (person: Person, owner = "me") =>
    (await setting.json<{ items: Budget[] }>(api(person, "GET", `/budgets?owner=${owner}`))).items;
  const told = async (person: Person) =>
    (await setting.json<{ items: Notification[] }>(api(person, "GET", "/notifications"))).items
      .filter(({ details }) => typeof details["budgetId"] === "string")
      .map(({ type, title }) => [type, title]);

  it("counts what was spent before it was set, warns once at 80 % and once at all of it, and lets calls through", async () => {
    const id = await grant(bob);
    await call(bob);
    const budget = await set(bob, { amount: 0.01 });
    expect(budget).toMatchObject({
      owner: { id: bob.id },
      program: null,
      amount: 0.01,
      spent: 0.003,
      held: 0,
      stops: false,
      state: "ok",
      mayManage: true,
    });
    for (const tellings of [1, 2]) {
      for (let calls = 0; calls < 2; calls += 1) expect((await call(bob)).status).toBe(200);
      await expect.poll(async () => (await told(bob)).length).toBe(tellings);
    }
    const name = `The budget of Name of ${bob.id}`;
    expect(await told(bob)).toEqual([
      ["quota_exceeded", `${name} is used up`],
      ["quota_warning", `${name} is used to 90 %`],
    ]);
    expect(await list(bob)).toMatchObject([{ id: budget.id, spent: 0.015, state: "reached" }]);
    expect((await api(bob, "DELETE", `/budgets/${budget.id}`)).status).toBe(204);
    expect(await list(bob)).toEqual([]);
    const { queries } = setting.server.context.database;
    expect(await queries.selectFrom("spend_counters").selectAll().where("scope", "=", `budget:${budget.id}`).execute()).toEqual([]);
    await api(setting.ann, "DELETE", `/grants/${id}`);
  });

  it("that stops is not passed by calls at the same time, and says which it is, how much, and until when", async () => {
    await grant(bob);
    const budget = await set(bob, { amount: 0.01, stops: true });
    setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok", slowMs: 20 });
    const results = await Promise.all(Array.from({ length: 12 }, () => call(bob)));
    expect(results.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(4);
    const refused = await call(bob);
    expect(refused).toMatchObject({ status: 402, error: { code: "budget_reached" } });
    expect(refused.error?.message).toMatch(
      /^The budget of Name of user_\w+, \$0\.01 a month, is used up: \$0\.0\d+ are spent\..*It is counted anew at 20\d\d-\d\d-01T00:00:00/,
    );
    const [state] = await list(bob);
    expect(state?.held).toBe(0);
    expect(state?.spent).toBeLessThanOrEqual(0.0125);
    await expect.poll(async () => (await told(bob)).map(([type]) => type)).toContain("quota_exceeded");
    expect((await api(bob, "PATCH", `/budgets/${budget.id}`, { amount: 1 })).status).toBe(200);
    expect((await call(bob)).status).toBe(200);
    // No answer is longer than what is held back for it, of one's own model neither.
    await set(setting.ann, { amount: 100, stops: true });
    setting.llm.seen.length = 0;
    await call(setting.ann, { max_tokens: undefined });
    expect(setting.llm.seen[0]?.body).toMatchObject({ max_completion_tokens: 4096 });
  });

  it("of a team is of the calls of its models, whoever makes them, and its owners set it", async () => {
    const carl = await createAccount(setting.server);
    const team = await setting.json<{ id: string }>(api(setting.ann, "POST", "/teams", { name: `Team ${count}` }));
    const { queries } = setting.server.context.database;
    await queries.insertInto("team_members").values({ team_id: team.id, user_id: carl.id, role: "member" }).execute();
    const credential = await setting.json<{ id: string }>(
      api(setting.ann, "POST", "/credentials", {
        kind: "model",
        name: `of ${team.id}`,
        value: "sk-planted-provider-key-0123456789",
        ownerId: team.id,
      }),
    );
    const { config } = await setting.json<Model>(api(setting.ann, "GET", `/models/${model.id}`));
    const theirs = await setting.json<Model>(
      api(setting.ann, "POST", "/models", {
        name: `Of team ${count}`,
        ownerId: team.id,
        config: { ...config, credentialId: credential.id },
      }),
    );
    expect((await api(carl, "POST", "/budgets", { ownerId: team.id, amount: 1 })).status).toBe(403);
    expect((await api(bob, "POST", "/budgets", { ownerId: team.id, amount: 1 })).status).toBe(404);
    const budget = await set(setting.ann, { ownerId: team.id, amount: 0.01, stops: true });
    expect((await call(carl, { model: theirs.id })).status).toBe(200);
    expect((await call(setting.ann, { model: theirs.id })).status).toBe(200);
    expect((await call(carl)).status).not.toBe(200); // not theirs
    expect(await list(carl)).toMatchObject([{ id: budget.id, spent: 0.006, mayManage: false, isImposed: false }]);
    expect(await list(bob)).toEqual([]);
    expect((await api(bob, "GET", `/budgets/${budget.id}`)).status).toBe(404);
    expect((await api(carl, "PATCH", `/budgets/${budget.id}`, { amount: 5 })).status).toBe(403);
    const groups = async (person: Person, query: string) =>
      await setting.json<UsageGroups>(api(person, "GET", `/usage/groups?team=${team.id}&${query}`));
    const people = (await groups(setting.ann, "by=user")).groups.map(({ key, cost, calls }) => [key, [cost, calls]]);
    expect(Object.fromEntries(people)).toEqual({ [carl.id]: [0.003, 1], [setting.ann.id]: [0.003, 1] });
    expect((await groups(carl, "by=model&user=me")).groups).toMatchObject([
      { key: theirs.id, name: `Of team ${count}`, calls: 1, inputTokens: 1000 },
    ]);
    expect((await api(carl, "GET", `/usage/groups?team=${team.id}`)).status).toBe(403);
    expect((await api(bob, "GET", `/usage/groups?team=${team.id}`)).status).toBe(403);
    await api(setting.ann, "DELETE", `/budgets/${budget.id}`);
  });

  it("of anybody, and of everybody, is set by administrators, and theirs to change", async () => {
    const admin = await createAccount(setting.server, "admin");
    await grant(bob);
    for (const ownerId of [setting.ann.id, "system", "user_none"])
      expect((await api(bob, "POST", "/budgets", { ownerId, amount: 1 })).status).toBe(404);
    expect((await api(admin, "POST", "/budgets", { ownerId: "user_none", amount: 1 })).status).toBe(404);
    const imposed = await set(admin, { ownerId: bob.id, amount: 0.01, stops: true });
    const statuses: number[] = [];
    for (let calls = 0; calls < 4; calls += 1) statuses.push((await call(bob)).status);
    expect(statuses).toEqual([200, 200, 200, 402]);
    expect(await list(bob)).toMatchObject([{ id: imposed.id, isImposed: true, mayManage: false }]);
    for (const [method, body] of [
      ["PATCH", { amount: 9 }],
      ["DELETE", undefined],
    ] as const)
      expect((await api(bob, method, `/budgets/${imposed.id}`, body)).status).toBe(403);
    const own = await set(bob, { amount: 5 });
    expect((await api(bob, "POST", "/budgets", { amount: 6 })).status).toBe(409);
    expect((await api(admin, "DELETE", `/budgets/${imposed.id}`)).status).toBe(204);
    const everybodys = await set(admin, { ownerId: "system", programId: null, amount: 0.01, stops: true });
    expect(everybodys).toMatchObject({ owner: { id: "system", name: "Everybody" }, state: "reached" });
    expect(await call(bob)).toMatchObject({ status: 402, error: { message: expect.stringContaining("of the installation") as string } });
    expect((await api(bob, "GET", `/budgets/${everybodys.id}`)).status).toBe(404);
    expect((await list(admin, "all")).map(({ id }) => id)).toEqual([everybodys.id, own.id]);
    expect((await api(bob, "GET", "/budgets?owner=all")).status).toBe(403);
    for (const { id } of [everybodys, own]) await api(admin, "DELETE", `/budgets/${id}`);
    expect((await call(bob)).status).toBe(200);
  });

  it("counts calls that go on when it is set", async () => {
    await grant(bob);
    setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok", slowMs: 300 });
    const body = { model: model.id, max_tokens: 1000, stream: true, messages: [{ role: "user", content: "x" }] };
    const going = setting.send(bob, "POST", "/v1/chat/completions", body).then((answer) => answer.text());
    const running = setting.server.context.database.queries
      .selectFrom("llm_calls")
      .select("id")
      .where("user_id", "=", bob.id)
      .where("status", "=", "running");
    await expect.poll(async () => (await running.execute()).length).toBe(1);
    const budget = await set(bob, { amount: 1 });
    expect(budget.held).toBeGreaterThan(0);
    await going;
    await expect.poll(async () => (await list(bob))[0]?.spent).toBe(0.003);
    expect(await list(bob)).toMatchObject([{ held: 0 }]);
  });

  it.each([
    { amount: 0 },
    { amount: -1 },
    { amount: 0.001 },
    { amount: "1" },
    {},
    { amount: 1, programId: "prog\0" },
    { amount: 1, more: 1 },
    { amount: 1e12 },
  ])("is refused with %j", async (input) => {
    expect((await api(bob, "POST", "/budgets", input)).status).toBe(400);
  });

  it("is never set between what a call counts against and the call: one of them waits for the other", async () => {
    const { database, budgets } = setting.server.context;
    const facts = { userId: bob.id, programId: null, modelOwnerId: setting.ann.id };
    const waiting = async () => {
      const { rows } = await sql`select from pg_locks join pg_database d on d.oid = database and d.datname = current_database()
        where locktype = 'advisory' and not granted`.execute(database.queries);
      return rows.length;
    };
    const { meanwhile } = await database.queries.transaction().execute(async (work) => {
      expect(await budgets.ofCall(facts, work)).toEqual([]);
      const begun = { meanwhile: set(bob, { amount: 1 }) };
      await expect.poll(waiting).toBe(1);
      expect(await budgets.ofCall(facts, work)).toEqual([]);
      return begun;
    });
    const { id } = await meanwhile;
    expect(await budgets.ofCall(facts)).toMatchObject([{ id }]);
  });

  it("is of a program that its owner sees", async () => {
    expect((await api(bob, "POST", "/budgets", { amount: 1, programId: "prog_none" })).status).toBe(404);
    expect((await api(bob, "POST", "/budgets", { amount: 1, programId: model.id })).status).toBe(404);
  });
});

describe("a model", () => {
  it.each([
    [{}, "provider"],
    [{ provider: "openai", modelId: "m" }, "credentialId"],
    [{ provider: "azure", modelId: "m", credentialId: "cred_x" }, "baseUrl"],
    [{ provider: "ollama", modelId: "m", baseUrl: "ftp://a" }, "baseUrl"],
    [{ provider: "ollama", modelId: "m", baseUrl: "http://user:pw@host" }, "baseUrl"],
    [{ provider: "ollama", modelId: "m", headers: { Authorization: "Bearer x" } }, "headers"],
    [{ provider: "ollama", modelId: "m", prices: { input: -1 } }, "prices"],
    [{ provider: "ollama", modelId: "m\n" }, "modelId"],
  ])("is refused with %j", async (config, field) => {
    const answer = await setting.json<{ code: string; fields: { path: string }[] }>(
      api(setting.ann, "POST", "/models", { name: "M", config }),
    );
    expect(answer.code).toBe("invalid_request");
    expect(JSON.stringify(answer.fields)).toContain(field);
  });

  it("uses no credential of somebody else, nor of another kind", async () => {
    const config = { provider: "openai", modelId: "m", credentialId: setting.credentialId };
    expect(await setting.json(api(bob, "POST", "/models", { name: "Stolen", config }))).toMatchObject({ code: "credential_unusable" });
    expect(await setting.json(api(bob, "POST", "/assets", { type: "model", name: "Stolen", config }))).toMatchObject({
      code: "credential_unusable",
    });
    expect(await setting.json(api(bob, "POST", "/models/test", { config }))).toMatchObject({ code: "credential_unusable" });
    const git = await setting.json<{ id: string }>(
      api(setting.ann, "POST", "/credentials", { kind: "git", name: `git ${count}`, value: "v", host: "git.example.org" }),
    );
    expect(
      await setting.json(api(setting.ann, "POST", "/models", { name: "Git", config: { ...config, credentialId: git.id } })),
    ).toMatchObject({ code: "credential_unusable" });
  });

  it("does not use a credential of somebody else than its owner", async () => {
    const other = await setting.json<{ id: string }>(
      api(bob, "POST", "/credentials", { kind: "model", name: `of bob ${count}`, value: "v" }),
    );
    const { queries } = setting.server.context.database;
    await sql`update assets set config = jsonb_set(config, '{credentialId}', to_jsonb(${other.id}::text)) where id = ${model.id}`.execute(
      queries,
    );
    expect(await call(setting.ann)).toMatchObject({ status: 409, error: { code: "credential_missing" } });
    expect(setting.llm.seen).toEqual([]);
  });

  it("is tried: how fast it is and what it can do, or what is wrong", async () => {
    setting.llm.behave({});
    const test = async (id = model.id) => await setting.json<Record<string, unknown>>(api(setting.ann, "POST", `/models/${id}/test`));
    expect(await test()).toMatchObject({
      ok: true,
      code: null,
      latencyMs: expect.any(Number) as number,
      capabilities: { streaming: true, tools: true, json: true },
    });
    setting.llm.behave({ status: 401, echoKey: true });
    expect(await test()).toMatchObject({ ok: false, code: "invalid_api_key" });
    setting.llm.behave({ status: 429 });
    expect(await test()).toMatchObject({ code: "rate_limited" });
    setting.llm.behave({});
    setting.llm.models = ["another"];
    expect(await test()).toMatchObject({ code: "unknown_model" });
    setting.llm.models = null;
    setting.llm.behave({ garbage: "stream" });
    expect(await test()).toMatchObject({ code: "garbled" });
    setting.llm.behave({ stall: true });
    expect(await test()).toMatchObject({ code: "timeout" });
    const away = await setting.model(`Away ${count}`, { baseUrl: "http://127.0.0.1:1/v1" });
    expect(await test(away.id)).toMatchObject({ code: "unreachable" });
    expect((await api(bob, "POST", `/models/${model.id}/test`)).status).toBe(404);
  });

  it("counts with the prices that held when it was called", async () => {
    await call(setting.ann);
    const { config } = await setting.json<Model>(api(setting.ann, "GET", `/models/${model.id}`));
    await api(setting.ann, "PATCH", `/models/${model.id}`, { config: { ...config, prices: { input: 10, output: 20 } } });
    await call(setting.ann);
    const { items } = await setting.json<{ items: LlmCall[] }>(api(setting.ann, "GET", `/models/${model.id}/calls`));
    expect(items.map(({ cost, priceVersion }) => [cost, priceVersion])).toEqual([
      [0.03, 2],
      [0.003, 1],
    ]);
  });
});
