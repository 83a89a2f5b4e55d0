import type { Credential } from "@syla/contracts/credentials";
import type { Model } from "@syla/contracts/models";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createAccount, share, type Person } from "../access/people.ts";
import { createProgram } from "../catalog/programs.ts";
import { openGateway, providerKey, type GatewaySetting } from "../gateway/gateway-setting.ts";

let setting: GatewaySetting;
let admin: Person;
let otherAdmin: Person;
let bob: Person;
let endUser: Person;
let credentialId: string;
let count = 0;

beforeAll(async () => {
  setting = await openGateway();
  admin = await createAccount(setting.server, "admin");
  otherAdmin = await createAccount(setting.server, "admin");
  bob = await createAccount(setting.server);
  endUser = await createAccount(setting.server, "end_user");
  const made = await api(admin, "POST", "/credentials", { kind: "model", name: "everybody's key", value: providerKey, ownerId: "system" });
  credentialId = (await setting.json<Credential>(made)).id;
});
beforeEach(() => {
  count += 1;
  setting.llm.behave({ usage: { input: 1000, output: 1000 }, text: "ok" });
});
afterAll(() => setting[Symbol.asyncDispose]());

const api = (person: Person, method: string, path: string, body?: unknown) => setting.send(person, method, `/api/v1${path}`, body);
const config = (more: object = {}) => ({
  provider: "openai",
  modelId: "upstream-1",
  baseUrl: `${setting.llm.url}/v1`,
  credentialId,
  prices: { input: 1, output: 2 },
  ...more,
});
const create = async (more: object = {}, ofConfig: object = {}) =>
  await setting.json<Model>(
    api(admin, "POST", "/models", { name: `System ${count}`, ownerId: "system", config: config(ofConfig), ...more }),
  );
const call = async (person: Person, model: string) => {
  const body = { model, max_tokens: 1000, messages: [{ role: "user", content: "x" }] };
  return (await setting.send(person, "POST", "/v1/chat/completions", body)).status;
};

describe("models of the system", () => {
  it("are made, changed, tested and deleted by every administrator, and by nobody else", async () => {
    const body = { name: "Mine", ownerId: "system", config: config({ provider: "ollama", credentialId: null }) };
    expect((await api(bob, "POST", "/models", body)).status).toBe(404);
    const made = await create();
    expect(made).toMatchObject({ owner: { id: "system" }, visibility: "public", level: "admin", usable: true });
    expect(await setting.json(api(bob, "GET", `/models/${made.id}`))).toMatchObject({ level: "run", config: null, usable: true });
    const change = { config: config({ prices: { input: 3, output: 4 } }) };
    for (const person of [bob, endUser]) {
      expect((await api(person, "PATCH", `/models/${made.id}`, change)).status).toBe(403);
      expect((await api(person, "DELETE", `/models/${made.id}`)).status).toBe(403);
      expect((await api(person, "POST", `/models/${made.id}/test`)).status).toBe(403);
      expect((await api(person, "GET", `/models/${made.id}/usage`)).status).toBe(403);
      expect((await api(person, "PATCH", `/models/${made.id}/caps/public`, { amount: 1, period: "day" })).status).toBe(403);
      expect((await api(person, "GET", `/grants?resourceType=asset&resourceId=${made.id}`)).status).toBe(403);
    }
    expect(await setting.json(api(otherAdmin, "PATCH", `/models/${made.id}`, change))).toMatchObject({ prices: { input: 3, output: 4 } });
    expect(await setting.json(api(otherAdmin, "POST", `/models/${made.id}/test`))).toMatchObject({ ok: true });
    expect((await api(otherAdmin, "DELETE", `/models/${made.id}`)).status).toBe(204);
    expect(await call(bob, made.id)).toBe(404);
  });

  it("keep their cap when a change is refused, and write no more than is held back for who does not pay", async () => {
    const made = await create();
    const change = async (more: object) => (await api(admin, "PATCH", `/models/${made.id}`, more)).status;
    expect(await change({ publicCap: { amount: 1, period: "day" } })).toBe(200);
    expect(await change({ publicCap: null, config: config({ credentialId: "cred_none" }) })).toBe(400);
    const usage = async () => await setting.json<{ caps: object[] }>(api(admin, "GET", `/models/${made.id}/usage`));
    expect((await usage()).caps).toMatchObject([{ subject: "public", amount: 1 }]);
    expect(await change({ publicCap: null })).toBe(200);
    expect((await usage()).caps).toEqual([]);
    setting.llm.seen.length = 0;
    await setting.send(bob, "POST", "/v1/chat/completions", { model: made.id, messages: [{ role: "user", content: "x" }] });
    expect(setting.llm.seen[0]?.body).toMatchObject({ max_completion_tokens: 4096 });
  });

  it("use a credential that administrators alone know of", async () => {
    const made = await create();
    expect(await call(bob, made.slug)).toBe(200);
    expect((await api(bob, "GET", `/credentials/${credentialId}`)).status).toBe(404);
    const asset = await (await api(bob, "GET", `/assets/${made.id}`)).text();
    expect(asset).not.toContain(credentialId);
    expect(asset).not.toContain(setting.llm.url);
    const stolen = await api(bob, "POST", "/models", { name: `Stolen ${count}`, config: config() });
    expect(await setting.json(stolen)).toMatchObject({ code: "credential_unusable" });
    const mixed = await api(admin, "POST", "/models", { name: `Mixed ${count}`, config: config(), ownerId: admin.id });
    expect(await setting.json(mixed)).toMatchObject({ code: "credential_unusable" });
  });

  it("answer the roles that they are for, administrators included", async () => {
    const made = await create({}, { roles: ["developer"] });
    expect(await call(bob, made.id)).toBe(200);
    expect(await call(endUser, made.id)).toBe(403);
    expect(await call(admin, made.id)).toBe(403);
    expect(await setting.json(api(endUser, "GET", `/models/${made.id}`))).toMatchObject({ usable: false });
  });

  it("are for those with whom they are shared, where they are not for everybody, each within a cap", async () => {
    const made = await create({ visibility: "private" });
    expect(made.visibility).toBe("private");
    const lists = async (person: Person) => {
      const { items } = await setting.json<{ items: Model[] }>(api(person, "GET", "/models?owner=system&limit=200"));
      return items.some(({ id }) => id === made.id);
    };
    expect(await lists(bob)).toBe(false);
    expect((await api(bob, "GET", `/models/${made.id}`)).status).toBe(404);
    for (const name of [made.id, made.slug, made.name]) expect(await call(bob, name)).toBe(404);
    expect(await call(admin, made.id)).toBe(404);
    const grant = await share(setting.server, admin, { resourceType: "asset", resourceId: made.id, email: bob.email, level: "run" });
    expect(await lists(bob)).toBe(true);
    expect((await api(admin, "PATCH", `/models/${made.id}/caps/${grant}`, { amount: 0.004, period: "day" })).status).toBe(200);
    expect(await call(bob, made.slug)).toBe(200);
    expect(await call(bob, made.slug)).toBe(402);
    expect(await call(endUser, made.slug)).toBe(404);
    expect((await api(admin, "PATCH", `/models/${made.id}`, { visibility: "public" })).status).toBe(200);
    expect(await call(endUser, made.slug)).toBe(200);
  });

  it("may have a cap for everybody, and need none", async () => {
    const made = await create();
    expect((await api(admin, "PATCH", `/models/${made.id}/caps/public`, { amount: 0.004, period: "day" })).status).toBe(200);
    expect([await call(bob, made.id), await call(endUser, made.id)]).toEqual([200, 402]);
    expect((await api(admin, "DELETE", `/models/${made.id}/caps/public`)).status).toBe(204);
    expect(await call(endUser, made.id)).toBe(200);
  });

  it("cannot be given to be changed", async () => {
    const made = await create();
    const wish = { resourceType: "asset", resourceId: made.id };
    for (const level of ["edit", "admin"]) {
      const refused = await setting.json(api(admin, "POST", "/grants", { ...wish, email: bob.email, level }));
      expect(refused).toMatchObject({ code: "invalid_request", fields: [{ path: "level" }] });
      expect((await api(admin, "POST", "/share-links", { ...wish, level })).status).toBe(400);
    }
    const id = await share(setting.server, admin, { ...wish, email: bob.email, level: "view" });
    expect((await api(admin, "PATCH", `/grants/${id}`, { level: "edit" })).status).toBe(400);
    // A model that was shared to be changed before it became the system's.
    const own = await setting.json<Model>(
      api(admin, "POST", "/models", { name: `Given ${count}`, config: config({ provider: "ollama", credentialId: null }) }),
    );
    await share(setting.server, admin, { resourceType: "asset", resourceId: own.id, email: bob.email, level: "admin" });
    expect((await api(admin, "POST", `/assets/${own.id}/transfer`, { ownerId: "system" })).status).toBe(200);
    expect((await api(bob, "PATCH", `/models/${own.id}`, { description: "x" })).status).toBe(403);
    expect((await api(bob, "GET", `/models/${own.id}`)).status).toBe(200);
  });

  it("open nothing to a call but the model, whoever makes it", async () => {
    const made = await create();
    const body = { model: made.id, max_tokens: 10, messages: [{ role: "user", content: "x" }], store: true };
    expect((await setting.send(admin, "POST", "/v1/chat/completions", body)).status).toBe(400);
  });
});

describe("a program's model", () => {
  it("is chosen by somebody who may call it, and left as it is by others", async () => {
    const made = await create({ visibility: "private" });
    const mine = await setting.model(`Bound ${count}`);
    const program = await createProgram(setting.server, setting.ann, `Bound ${count}`);
    const bound = (modelId: string | null, entrypoint = "main.py") => ({ runtime: "python", entrypoint, modelId });
    const set = (person: Person, next: object) =>
      setting.send(person, "PATCH", `/api/v1/assets/${program.id}`, { config: next }, { "if-match": "*" });
    expect((await set(setting.ann, bound(mine.id))).status).toBe(200);
    for (const modelId of [made.id, mine.slug, "model_none", "x\0"])
      expect(await setting.json(set(setting.ann, bound(modelId)))).toMatchObject({ fields: [{ path: "config.modelId" }] });
    await share(setting.server, setting.ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "edit" });
    expect((await set(bob, { ...bound(mine.id), args: ["x"] })).status).toBe(200);
    expect((await set(bob, bound(null))).status).toBe(200);
    expect((await set(bob, bound(mine.id))).status).toBe(400);
  });

  it("is chosen so when a program is made as well; a copy goes without one that its owner may not call", async () => {
    const mine = await setting.model(`Made with ${count}`);
    const programConfig = { runtime: "python", entrypoint: "main.py", modelId: mine.id };
    const input = { type: "program", name: `Made ${count}`, files: [{ path: "main.py", content: "" }], config: programConfig };
    const refused = await setting.send(bob, "POST", "/api/v1/assets", input);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      { code: "model_unusable", fields: [{ path: "config.modelId" }], hint: expect.stringContaining("syla model list") as string },
    ]);
    const program = await createProgram(setting.server, setting.ann, `Made ${count}`, { "main.py": "" }, { config: programConfig });
    await share(setting.server, setting.ann, { resourceType: "asset", resourceId: program.id, email: bob.email, level: "view" });
    const clone = async (person: Person) =>
      await setting.json<{ config: object }>(setting.send(person, "POST", `/api/v1/assets/${program.id}/clone`, {}));
    expect((await clone(bob)).config).toMatchObject({ modelId: null, entrypoint: "main.py" });
    expect((await clone(setting.ann)).config).toMatchObject({ modelId: mine.id });
  });
});
