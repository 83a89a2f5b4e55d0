import { teamRoutes } from "@syla/contracts/teams";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createOnce } from "../../src/access/idempotency/service.ts";
import { Answer } from "../../src/platform/http-call.ts";
import { newId } from "../../src/platform/ids.ts";
import { createLogger } from "../../src/platform/logger.ts";
import { clearOnceMark } from "../../src/platform/once-mark.ts";

let server: TestServer;
let once: ReturnType<typeof createOnce>;
let userId: string;
let workerId: string;
beforeAll(async () => {
  server = await startTestServer();
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
