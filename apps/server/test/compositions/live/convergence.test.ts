import { setTimeout as sleep } from "node:timers/promises";
import type { CompositionGraph, CreatedComposition } from "@syla/contracts/compositions";
import type { FlowBody } from "@syla/contracts/flow";
import type { Actor } from "@syla/server/access/actor";
import { openRedis } from "@syla/server/platform/redis";
import { Secret } from "@syla/server/platform/secret";
import { hasRedis, startTestRedis } from "@syla/testkit/redis";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createAccount, type Person } from "../../access/people.ts";
import { json } from "../../catalog/programs.ts";
import { graph, node } from "../graphs.ts";
import { Drawer, isWhole, wired, without, withMore, withNode } from "./drawer.ts";
import { noRedis, startNode, type LiveNode } from "./node.ts";

const schedules = Number(process.env["SYLA_LONG_RUNS"] ?? 25);
const seed = Number(process.env["SYLA_LONG_SEED"] ?? 20_261_201);
/** Of one schedule, as a failure names it. */
const place = process.env["SYLA_LONG_PATH"] ?? "";
const joinMs = 500;
/** One schedule takes no longer, whatever the machine does besides. */
const longestMs = 120_000;

let server: TestServer;
let ann: Person;
let actor: Actor;

beforeAll(async () => {
  server = await startTestServer({ SYLA_RATE_LIMIT: "0" });
  ann = await createAccount(server);
  actor = { userId: ann.id, role: "developer", via: "local" };
});
afterAll(() => server[Symbol.asyncDispose]());

type Step =
  | { readonly kind: "add" | "remove" | "wire" | "move" | "write" | "undo"; readonly who: number; readonly at: number; readonly to: number }
  | { readonly kind: "cut" | "join" | "leave"; readonly who: number }
  | { readonly kind: "kill"; readonly node: number }
  | { readonly kind: "settle" | "others" | "wait" };

const who = fc.nat({ max: 2 });
const at = fc.nat({ max: 1000 });
const drawn = fc.constantFrom(
  "add" as const,
  "add" as const,
  "remove" as const,
  "wire" as const,
  "move" as const,
  "write" as const,
  "undo" as const,
);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: drawn, who, at, to: at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "join" as const, "join" as const, "leave" as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("kill" as const), node: fc.nat({ max: 1 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("settle" as const, "others" as const, "wait" as const) }) },
);

const code = (id: string) =>
  node(
    id,
    "code",
    { language: "python", source: "", inputs: [{ name: "x", type: "Any" }], returns: "Any" },
    { label: "", position: { x: 0, y: 0 } },
  );
const pick = <Item>(items: readonly Item[], wish: number): Item | undefined => items[wish % Math.max(1, items.length)];

let made = 0;

/** Does it all, and compares what everybody has at the end with what they drew. */
async function play(steps: readonly Step[], redis = noRedis): Promise<void> {
  const created = await server.send("POST", "/api/v1/compositions", { name: `Schedule ${(made += 1)}` }, ann.headers);
  const { id } = (await json<CreatedComposition>(created)).asset;
  const url = `/api/v1/compositions/${id}/graph`;
  const begun = await server.send(
    "PUT",
    url,
    { graph: graph([code("a"), code("b"), node("keep", "note", { text: "" })], "a.result -> b.x") },
    { ...ann.headers, "if-match": "*" },
  );
  if (begun.status !== 200) throw new Error(await begun.text());
  const start = () => startNode(server, actor, id, redis);
  const nodes: [LiveNode, LiveNode] = [await start(), await start()];
  const { id: name } = await nodes[0].live.document(actor, id);
  let turn = 0;
  const open = () => new Drawer(name, () => new WebSocket(nodes[(turn += 1) % 2 === 0 ? 0 : 1].url));
  const drawers = [open(), open(), open()];
  // What was written into the note that nobody deletes, each once; of a drawer that is given up before it was confirmed, nothing has to be left.
  const written = new Set<string>();
  const unsure = new Map<Drawer, string[]>();
  const own = new Map<Drawer, string[]>();
  let count = 0;
  const noteIn = (body: FlowBody) => body.nodes.find((each) => each.id === "keep");
  const textOf = (body: FlowBody) => {
    const note = noteIn(body);
    return note?.kind === "note" ? note.config.text : "";
  };
  const note = (body: FlowBody, token: string): FlowBody =>
    withNode(body, "keep", ({ config }) => ({ config: { ...config, text: `${textOf(body)}${token}` } }));
  const draw = (drawer: Drawer, one: Step & { readonly at: number; readonly to: number }) => {
    const free = drawer.graph.nodes.filter((each) => each.kind === "code");
    const [first, second] = [pick(free, one.at)?.id, pick(free, one.to)?.id];
    count += 1;
    if (one.kind === "add") drawer.draw((now) => withMore(now, code(`n${count}`)));
    else if (one.kind === "undo") {
      drawer.undo();
      // What they wrote last, if that was writing, is gone; whatever others have written is not.
      for (const token of own.get(drawer) ?? []) written.delete(token);
    } else if (one.kind === "write") {
      if (noteIn(drawer.graph) === undefined) return; // they have come just now, and see nothing yet
      const token = `<${count}>`;
      drawer.draw((now) => note(now, token));
      for (const tokens of [unsure, own]) tokens.set(drawer, [...(tokens.get(drawer) ?? []), token]);
      written.add(token);
    } else if (first === undefined || second === undefined) return;
    else if (one.kind === "remove") drawer.draw((now) => without(now, first));
    else if (one.kind === "move") drawer.draw((now) => withNode(now, first, () => ({ position: { x: one.at, y: one.to } })));
    else if (first !== second) drawer.draw((now) => wired(now, `e${count}`, [first, "result"], [second, "x"]));
  };
  const saved = async (drawer: Drawer) => await expect.poll(() => drawer.isSaved, { timeout: 30_000, interval: 10 }).toBe(true);
  const join = async (drawer: Drawer) => await Promise.race([drawer.connect(), sleep(joinMs)]);
  const read = async () => await json<CompositionGraph>(server.fetch(url, { headers: ann.headers }));
  try {
    await Promise.all(drawers.map(saved));
    for (const one of steps) {
      const drawer = drawers["who" in one ? one.who : 0] as Drawer;
      switch (one.kind) {
        case "cut":
          drawer.cut();
          break;
        case "join":
          await join(drawer);
          break;
        case "leave":
          if (drawer.isSaved) unsure.delete(drawer);
          drawer.destroy();
          for (const token of unsure.get(drawer) ?? []) written.delete(token);
          drawers[one.who] = open();
          break;
        case "kill":
          nodes[one.node === 0 ? 0 : 1].kill();
          nodes[one.node === 0 ? 0 : 1] = await start();
          break;
        case "settle":
          await nodes[0].live.settleDraft(id);
          break;
        case "others": {
          const token = `<${(count += 1)}>`;
          const seen = await read();
          const wish = { graph: { ...seen.graph, ...note(withMore(seen.graph, code(`s${count}`)), token) } };
          const answer = await server.send("PUT", url, wish, { ...ann.headers, "if-match": `"${seen.revision}"` });
          if (answer.status === 200) written.add(token);
          else if (answer.status !== 409 && answer.status !== 412) throw new Error(`${answer.status}: ${await answer.text()}`);
          break;
        }
        case "wait":
          await sleep(10);
          break;
        default:
          draw(drawer, one);
      }
    }
    for (const drawer of drawers) await join(drawer);
    await Promise.all(drawers.map(saved));
    const graphs = async () => {
      await nodes[1].live.settleDraft(id);
      return new Set([...drawers.map((drawer) => JSON.stringify(drawer.graph)), JSON.stringify((await read()).graph)]);
    };
    await expect.poll(async () => (await graphs()).size, { timeout: 30_000, interval: 20 }).toBe(1);
    const { graph: end } = await read();
    expect(isWhole(end)).toBe(true);
    const text = textOf(end);
    for (const token of written) expect(text.split(token).length - 1, `${token} in ${text}`).toBe(1);
    for (let token = 1; token <= count; token += 1) expect(text.split(`<${token}>`).length - 1).toBeLessThanOrEqual(1);
  } finally {
    for (const drawer of drawers) drawer.destroy();
    for (const one of nodes) one.kill();
  }
}

it(
  "is the same graph for everybody, whole, and holds what was confirmed, whatever is cut, killed and saved beside it",
  { timeout: schedules * 10_000 + 60_000 },
  async () => {
    const found = await fc.check(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), (steps) => play(steps)),
      { numRuns: schedules, seed, path: place, endOnFailure: true, timeout: longestMs },
    );
    expect(found.failed ? fc.defaultReportMessage(found) : null).toBeNull();
  },
);

// `npm test` says how to get one.
it.skipIf(!hasRedis)("is the same through Redis, also when that dies in the middle", { timeout: 120_000 }, async () => {
  await using running = await startTestRedis();
  await using redis = await openRedis(new Secret(running.url), server.context.logger).then((value) => ({
    value,
    [Symbol.asyncDispose]: () => value.close(),
  }));
  await expect.poll(() => redis.value.state).toBe("connected");
  const steps: Step[] = [0, 1, 2, 0, 1, 2].flatMap((one): Step[] => [
    { kind: "write", who: one, at: 3, to: 1 },
    { kind: "add", who: one, at: 0, to: 0 },
    { kind: "wire", who: one, at: one, to: one + 1 },
  ]);
  await play([...steps, { kind: "kill", node: 0 }, ...steps, { kind: "settle" }, { kind: "others" }, ...steps], redis.value);
  await running.kill();
  await play([...steps, { kind: "others" }, ...steps], redis.value);
});
