import { RunStatus, type RunSummary } from "@syla/contracts/runs";
import { createPerson, execute } from "@syla/testkit/runs";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

describe("the list of runs", () => {
  let server: TestServer;
  let ann: { authorization: string };
  let bob: { authorization: string };
  let ids: string[];
  let mine: string[];
  beforeAll(async () => {
    server = await startTestServer();
    ann = await createPerson(server);
    bob = await createPerson(server);
    ids = [];
    for (const [entrypoint, code] of [
      ["first.sh", "true"],
      ["second.sh", "exit 1"],
      ["100%_sure.py", "print(1)"],
      ["sleep.sh", "sleep 9"],
      ["fifth.py", "print(5)"],
    ] as const)
      ids.push((await execute(server, { code, entrypoint, ...(entrypoint === "sleep.sh" ? { limits: { wallMs: 50 } } : {}) }, ann)).id);
    mine = [(await execute(server, { code: "true", entrypoint: "first.sh" }, bob)).id];
  });
  afterAll(() => server[Symbol.asyncDispose]());

  interface Page {
    items: RunSummary[];
    nextCursor: string | null;
  }
  const page = async (query: string, person = ann) =>
    (await (await server.fetch(`/api/v1/runs${query}`, { headers: person })).json()) as Page;
  const list = async (query: string, person = ann) => (await page(query, person)).items.map((run) => run.id);

  it("shows one's own, newest first", async () => {
    expect(await list("")).toEqual(ids.toReversed());
    expect(await list("", bob)).toEqual(mine);
    expect((await page("")).nextCursor).toBeNull();
  });

  it("shows everybody's to an administrator who asks for them", async () => {
    const response = await server.fetch("/api/v1/runs?owner=all");
    expect(((await response.json()) as Page).items.map((run) => run.id)).toEqual([...ids, ...mine].toReversed());
    expect(((await (await server.fetch("/api/v1/runs")).json()) as Page).items).toEqual([]);
    const refused = await server.fetch("/api/v1/runs?owner=all", { headers: bob });
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([403, "forbidden"]);
  });

  it.each([1, 2, 3, 4, 5, 200])("goes through pages of %i with neither gap nor double", async (size) => {
    const seen: string[] = [];
    for (let cursor: string | null = ""; cursor !== null;) {
      const { items, nextCursor }: Page = await page(`?limit=${size}${cursor === "" ? "" : `&cursor=${cursor}`}`);
      expect(items.length).toBeLessThanOrEqual(size);
      seen.push(...items.map((run) => run.id));
      cursor = nextCursor;
    }
    expect(seen).toEqual(ids.toReversed());
  });

  it("does not show another person's runs through their cursor", async () => {
    const { nextCursor } = await page("?limit=1");
    expect(await list(`?cursor=${nextCursor}`, bob)).toEqual([]);
  });

  it.each(["x", "", "%00", "cnVuXzE", Buffer.from("run_' OR 1=1 --").toString("base64url")])("refuses the cursor %j", async (cursor) => {
    expect((await page(`?cursor=${cursor}`)) as unknown).toMatchObject({ status: 400, code: "invalid_cursor" });
  });

  it("names the statuses that there are", async () => {
    expect((await page("?status=done")) as unknown).toMatchObject({
      detail: expect.stringContaining(RunStatus.options.join(", ")) as string,
    });
  });

  it("filters", async () => {
    const [first, second, sure, sleep, fifth] = ids;
    expect(await list("?status=failed")).toEqual([second]);
    expect(await list("?status=failed,timed_out")).toEqual([sleep, second]);
    expect(await list("?status=failed&status=timed_out")).toEqual([sleep, second]);
    expect(await list("?language=python")).toEqual([fifth, sure]);
    expect(await list("?language=python,bash")).toEqual(ids.toReversed());
    expect(await list("?language=cobol")).toEqual([]);
    expect(await list("?kind=execution&status=succeeded&language=bash")).toEqual([first]);
    expect(await list("?kind=build")).toEqual([]);
    expect(await list("?q=FIFTH")).toEqual([fifth]);
    expect(await list(`?q=${first?.slice(-10)}`)).toEqual([first]);
    expect(await list("?q=%25_")).toEqual([sure]);
    expect(await list("?q=%25_&limit=1")).toEqual([sure]);
    expect(await list("?q=%5C")).toEqual([]);
    expect(await list("?q=%00")).toEqual([]);
    expect(await list("?language=%00")).toEqual([]);
    const { createdAt } = (await page("?q=second")).items[0] ?? {};
    expect(await list(`?since=${createdAt}`)).toEqual([fifth, sleep, sure, second]);
    expect(await list(`?until=${createdAt}`)).toEqual([first]);
  });

  it.each([
    "status=",
    "status=done",
    "status=failed,",
    "limit=0",
    "limit=201",
    "limit=x",
    "kind=x",
    "since=yesterday",
    "owner=bob",
    "program=%00",
    "dataset=%00",
    `q=${"x".repeat(201)}`,
  ])("refuses %s", async (query) => {
    const problem = (await page(`?${query}`)) as unknown;
    expect(problem).toMatchObject({ status: 400, code: "invalid_request" });
  });
});
