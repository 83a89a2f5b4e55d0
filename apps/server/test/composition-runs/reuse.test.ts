import { startTestServer, type TestServer } from "@syla/testkit/server";
import { afterAll, beforeAll, expect, it } from "vitest";
import { createAccount } from "../access/people.ts";
import { graph, node } from "../compositions/graphs.ts";
import { compositionsOf, python, type Compositions } from "./setting.ts";

let server: TestServer;
let of: Compositions;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  of = compositionsOf(server, await createAccount(server));
});
afterAll(() => server[Symbol.asyncDispose]());

let count = 0;
/** A node that answers otherwise each time, and one behind it; with an approval between them, where it is wanted. */
function changing(reuse: object = {}, isAsked = false) {
  const source = `# ${(count += 1)}\nimport uuid\nreturn [v, str(uuid.uuid4())]`;
  const ask = isAsked ? [node("ask", "approval", { message: "Good?" })] : [];
  return graph(
    [
      node("in", "input", { name: "a", default: 1 }),
      node("made", "code", { ...python(source, ["v"]), ...reuse }),
      node("next", "code", python("return len(v)", ["v"])),
      node("out", "output", { name: "z" }),
      ...ask,
    ],
    "in.value -> made.v",
    ...(isAsked ? ["made.result -> ask.value", "ask.approved -> next.v"] : ["made.result -> next.v"]),
    "next.result -> out.value",
  );
}
const made = async (runId: string) => (await of.nodes(runId)).find(({ path }) => path === "made");
/** How a node stands in a second run of the same, begun as is said. */
async function again(drawn: object, more: (first: string) => object): Promise<string | undefined> {
  const id = await of.make(drawn);
  const first = await of.run(id);
  expect([first.status, (await made(first.id))?.state]).toEqual(["succeeded", "succeeded"]);
  const second = await of.run(id, more(first.id));
  expect([second.status, second.error]).toEqual(["succeeded", null]);
  return (await made(second.id))?.state;
}

it("code is taken again, unless its node says that it is not", async () => {
  expect(await again(changing(), () => ({}))).toBe("reused");
  expect(await again(changing({ reuse: "never" }), () => ({}))).toBe("succeeded");
  expect(await again(changing({ reuse: "never" }), (first) => ({ restartOf: first }))).toBe("succeeded");
  expect(await again(changing({ reuse: "never" }), () => ({ from: "next" }))).toBe("succeeded");
});

it("what is never taken again is made where only what is behind it is wanted", async () => {
  expect(await again(changing({ reuse: "never" }), () => ({ only: "next" }))).toBe("succeeded");
  expect(await again(changing(), () => ({ only: "next" }))).toBe("reused");
});

it("code is made anew where the run has a network, unless its node says that it is not", async () => {
  const network = { allow: ["example.org"] };
  expect(await again(changing(), () => ({ network }))).toBe("succeeded");
  expect(await again(changing({ reuse: "always" }), () => ({ network }))).toBe("reused");
});

it("a run that goes on when somebody has decided keeps what it has made itself", async () => {
  const run = await of.start(await of.make(changing({ reuse: "never" }, true)));
  await of.waitFor(run.id, ({ status }) => status === "waiting");
  const before = (await made(run.id))?.output;
  await of.send("POST", `/runs/${run.id}/decisions`, { path: "ask", approved: true, comment: "" });
  expect((await of.waitFor(run.id)).status).toBe("succeeded");
  expect(await made(run.id)).toMatchObject({ state: "succeeded", attempts: 1, output: before });
});
