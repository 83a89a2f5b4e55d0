import { teamRoutes } from "@syla/contracts/teams";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createOnce } from "../../src/access/idempotency/service.ts";
import { Answer } from "../../src/platform/http-call.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { clearOnceMark } from "../../src/platform/once-mark.ts";
import { createProgram, errorOf, json } from "../catalog/programs.ts";

let server: TestServer;
let once: ReturnType<typeof createOnce>;
let userId: string;
let workerId: string;
beforeAll(async () => {
  server = await startTestServer({ SYLA_WEBHOOK_ALLOW_PRIVATE: "127.0.0.1" });
  const { queries } = server.context.database;
  userId = ((await (await server.fetch("/api/v1/users/me")).json()) as { id: string }).id;
  workerId = (await queries.selectFrom("workers").select("id").executeTakeFirstOrThrow()).id;
  once = createOnce({ queries, logger: createLogger("silent"), workerId: () => workerId });
});
afterAll(() => server[Symbol.asyncDispose]());

type Wish = Parameters<typeof once>[0];
const wish = (key: string) =>
  ({
    route: teamRoutes.createTeam,
    request: { url: "/api/v1/teams", headers: {}, body: { key } },
    actor: { userId },
    key,
  }) as unknown as Wish;
const ok = new Answer(201, { made: true }, {});

async function makeTeam(): Promise<string> {
  const id = newId("team");
  await server.context.database.queries
    .insertInto("teams")
    .values({ id, name: id, slug: id, description: "", created_by: userId })
    .execute();
  return id;
}

it("does again what failed before it had made anything, or has undone it, and never what has made something", async () => {
  const fail = () => Promise.reject(new Error("the connection broke"));
  await expect(once(wish("nothing"), fail)).rejects.toThrow("broke");
  expect(await once(wish("nothing"), () => Promise.resolve(ok))).toBe(ok);

  let made = "";
  const half = async () => {
    made = await makeTeam();
    return await fail();
  };
  await expect(once(wish("half"), half)).rejects.toThrow("broke");
  await expect(once(wish("half"), () => Promise.resolve(ok))).rejects.toMatchObject({
    code: "idempotency_answer_gone",
    details: { id: made },
  });
  const undone = async () => {
    await makeTeam();
    await clearOnceMark(server.context.database.queries);
    return await fail();
  };
  await expect(once(wish("undone"), undone)).rejects.toThrow("broke");
  expect(await once(wish("undone"), () => Promise.resolve(ok))).toBe(ok);
});

it("takes up what this process has lost, and nothing that it has in hand", async () => {
  const { queries } = server.context.database;
  const started = Promise.withResolvers<void>();
  const finish = Promise.withResolvers<void>();
  const first = once(wish("held"), async () => {
    started.resolve();
    await finish.promise;
    return ok;
  });
  await started.promise;
  const second = once(wish("held"), () => Promise.reject(new Error("done twice")));
  finish.resolve();
  expect([await first, (await second).headers["idempotency-replayed"]]).toEqual([ok, "true"]);

  // As when the end could not be written down.
  const lose = async (key: string, made: string | null) => {
    await once(wish(key), () => Promise.resolve(ok));
    await queries.updateTable("idempotent_requests").set({ status: null, answer: null, made }).where("answer", "is not", null).execute();
  };
  await lose("lost", null);
  expect(await once(wish("lost"), () => Promise.resolve(ok))).toBe(ok);
  await lose("made", "team_x");
  await expect(once(wish("made"), () => Promise.resolve(ok))).rejects.toMatchObject({ code: "idempotency_answer_gone" });
});

describe("a change of what was loaded", () => {
  const config = { provider: "openai-compatible", baseUrl: "https://127.0.0.1/v1", modelId: "m", prices: { input: 1, output: 1 } };
  const made = async (path: string, body: object) =>
    await json<{ id: string }>(server.send("POST", `/api/v1/${path}`, { name: `Revised ${path}`, ...body }));
  const things: readonly (readonly [what: string, make: () => Promise<string>, changes: readonly [object, object]])[] = [
    [
      "credential",
      async () => `credentials/${(await made("credentials", { kind: "program", value: "secret" })).id}`,
      [{ username: "a" }, { username: "b" }],
    ],
    [
      "package index",
      async () =>
        `package-indexes/${(await made("package-indexes", { language: "python", url: "https://127.0.0.1/simple", packages: ["acme-*"] })).id}`,
      [{ packages: ["a-*"] }, { packages: ["b-*"] }],
    ],
    ["schedule", async () => `schedules/${(await made("schedules", { programId, cron: "@daily" })).id}`, [{ name: "A" }, { name: "B" }]],
    ["trigger", async () => `triggers/${(await made("triggers", { programId })).id}`, [{ name: "A" }, { name: "B" }]],
    [
      "webhook",
      async () => `webhooks/${(await made("webhooks", { url: "https://127.0.0.1/hook", events: ["run.finished"] })).id}`,
      [{ name: "A" }, { name: "B" }],
    ],
    ["model", async () => `models/${(await made("models", { config })).id}`, [{ description: "a" }, { description: "b" }]],
    [
      "spend cap",
      async () => {
        const cap = `models/${(await made("models", { name: "Capped", config })).id}/caps/public`;
        await server.send("PATCH", `/api/v1/${cap}`, { amount: 1, period: "day" });
        return cap;
      },
      [
        { amount: 2, period: "day" },
        { amount: 3, period: "day" },
      ],
    ],
  ];
  let programId: string;
  beforeAll(async () => {
    const owner = { headers: { authorization: `Bearer ${server.localKey}` } };
    programId = (await createProgram(server, owner, "Revised")).id;
  });

  it.each(things)("of a %s is refused when somebody else was first, with what is there now", async (_what, make, [first, second]) => {
    const path = `/api/v1/${await make()}`;
    const change = (body: object, revision: string) => server.send("PATCH", path, body, { "if-match": revision });
    const both = await Promise.all([change(first, '"1"'), change(second, '"1"')]);
    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 412]);
    const [winner, loser] = both[0]?.status === 200 ? both : both.toReversed();
    const saved = await json<{ revision: number }>(winner as Response);
    expect([saved.revision, winner?.headers.get("etag")]).toEqual([2, '"2"']);
    const refused = await errorOf(loser as Response);
    expect(refused).toMatchObject({ code: "revision_conflict", details: { current: both[0]?.status === 200 ? first : second } });
    expect((await change(second, '"2"')).status).toBe(200);
    expect((await change(first, "*")).status).toBe(200);
    expect((await server.send("PATCH", path, second)).status).toBe(200);
    expect((await change(first, "two")).status).toBe(400);
  });
});
