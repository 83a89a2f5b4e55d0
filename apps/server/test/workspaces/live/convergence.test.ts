import { setTimeout as sleep } from "node:timers/promises";
import { HocuspocusProvider } from "@hocuspocus/provider";
import { liveTextName } from "@syla/contracts/workspace-live";
import type { TreeFile } from "@syla/contracts/programs";
import type { Actor } from "@syla/server/access/actor";
import { openRedis } from "@syla/server/platform/redis";
import { Secret } from "@syla/server/platform/secret";
import { hasRedis, startTestRedis } from "@syla/testkit/redis";
import { startTestServer, type TestServer } from "@syla/testkit/server";
import fc from "fast-check";
import { afterAll, beforeAll, expect, it } from "vitest";
import { WebSocket } from "ws";
import type * as Y from "yjs";
import { createAccount, type Person } from "../../access/people.ts";
import { json } from "../../catalog/programs.ts";
import { createWorkspace, readFiles, write } from "../workspaces.ts";
import { startNode, type LiveNode } from "./node.ts";
import { LiveSocket } from "./replica.ts";

const schedules = Number(process.env["SYLA_LONG_RUNS"] ?? 40);
const seed = Number(process.env["SYLA_LONG_SEED"] ?? 20_260_801);
/** Of one schedule, as a failure names it. */
const place = process.env["SYLA_LONG_PATH"] ?? "";
const path = "a.txt";
const joinMs = 500;
const savedMs = 30_000;
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

/** An editor that is on one of the servers, another one each time that it connects. */
class Editor {
  readonly provider: HocuspocusProvider;
  readonly #socket: LiveSocket;

  constructor(name: string, reach: () => string) {
    this.#socket = new LiveSocket({
      url: "ws://workspace",
      WebSocketPolyfill: class extends WebSocket {
        constructor() {
          super(reach());
          this.on("error", () => {}); // it is cut while it connects, too
        }
      },
      delay: 20,
      minDelay: 10,
      maxDelay: 50,
      jitter: false,
    });
    this.provider = new HocuspocusProvider({ websocketProvider: this.#socket, name, token: "" });
    this.provider.attach();
  }

  get text(): Y.Text {
    return this.provider.document.getText(liveTextName);
  }

  cut(): void {
    this.#socket.disconnect();
  }

  async join(): Promise<void> {
    // Another try of its own may take the place of this one, which then never ends.
    await Promise.race([this.#socket.connect(), sleep(joinMs)]);
  }

  async saved(): Promise<void> {
    const until = performance.now() + savedMs;
    while (!this.provider.isSynced || this.provider.hasUnsyncedChanges) {
      if (performance.now() > until) throw new Error("what an editor wrote is not confirmed");
      await sleep(5);
    }
  }

  destroy(): void {
    this.provider.destroy();
    this.#socket.destroy();
  }
}

type Step =
  | { readonly kind: "write"; readonly who: number; readonly at: number }
  | { readonly kind: "remove"; readonly who: number; readonly at: number }
  | { readonly kind: "cut" | "join" | "leave"; readonly who: number }
  | { readonly kind: "kill"; readonly node: number }
  | { readonly kind: "settle" | "others" | "wait" };

const who = fc.nat({ max: 2 });
const at = fc.nat({ max: 1000 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant("write" as const), who, at }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("remove" as const), who, at }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom("cut" as const, "join" as const, "join" as const, "leave" as const), who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("kill" as const), node: fc.nat({ max: 1 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("settle" as const, "others" as const, "wait" as const) }) },
);

let made = 0;

/** Does it all, and compares what everybody has at the end with what they wrote. */
async function play(steps: readonly Step[], redis?: Parameters<typeof startNode>[3]): Promise<void> {
  const { id } = await createWorkspace(server, ann, `Schedule ${(made += 1)}`, { [path]: "first\nlast\n" });
  const start = () => startNode(server, actor, id, redis);
  const nodes: [LiveNode, LiveNode] = [await start(), await start()];
  const { id: name } = await nodes[0].live.document(actor, id, path);
  let turn = 0;
  const open = () => new Editor(name, () => nodes[(turn += 1) % 2 === 0 ? 0 : 1].url);
  const editors = [open(), open(), open()];
  // What was written, each once; of an editor that is given up before it was confirmed, nothing has to be left.
  const written = new Set<string>();
  const unsure = new Map<Editor, string[]>();
  let count = 0;
  try {
    await Promise.all(editors.map((editor) => editor.saved()));
    for (const one of steps) {
      switch (one.kind) {
        case "write": {
          const editor = editors[one.who] as Editor;
          const token = `<${(count += 1)}>`;
          editor.text.insert(placeIn(editor.text.toJSON(), one.at), token);
          unsure.set(editor, [...(unsure.get(editor) ?? []), token]);
          written.add(token);
          break;
        }
        case "remove": {
          const { text } = editors[one.who] as Editor;
          const found = text.toJSON().indexOf("l");
          if (found >= 0) text.delete(found, 1);
          break;
        }
        case "cut":
          editors[one.who]?.cut();
          break;
        case "join":
          await editors[one.who]?.join();
          break;
        case "leave": {
          const editor = editors[one.who] as Editor;
          if (editor.provider.isSynced && !editor.provider.hasUnsyncedChanges) unsure.delete(editor);
          editor.destroy();
          for (const token of unsure.get(editor) ?? []) written.delete(token);
          editors[one.who] = open();
          break;
        }
        case "kill":
          nodes[one.node === 0 ? 0 : 1].kill();
          nodes[one.node === 0 ? 0 : 1] = await start();
          break;
        case "settle":
          await nodes[0].live.settleAll(id);
          break;
        case "others": {
          const token = `<${(count += 1)}>`;
          const seen = await json<{ revision: number; items: TreeFile[] }>(
            server.fetch(`/api/v1/workspaces/${id}/files`, { headers: ann.headers }),
          );
          const now = (await server.context.blobs.get(seen.items[0]?.sha256 ?? "")).toString();
          const wish = { changes: [write(path, `${now}${token}\n`)], onConflict: "theirs" };
          const headers = { ...ann.headers, "if-match": `"${seen.revision}"` };
          const answer = await server.send("POST", `/api/v1/workspaces/${id}/files`, wish, headers);
          if (answer.status !== 200) throw new Error(`${answer.status}: ${await answer.text()}`);
          if ((await readFiles(server, ann, id))[path]?.includes(token) === true) written.add(token);
          break;
        }
        default:
          await sleep(10);
      }
    }
    for (const editor of editors) await editor.join();
    await Promise.all(editors.map((editor) => editor.saved()));
    // What somebody has written into the file by other ways comes into the document a moment later.
    const texts = async () => {
      await nodes[1].live.settleAll(id);
      return new Set([...editors.map((editor) => editor.text.toJSON()), (await readFiles(server, ann, id))[path]]);
    };
    await expect.poll(async () => (await texts()).size, { timeout: 30_000, interval: 10 }).toBe(1);
    const text = editors[0]?.text.toJSON() ?? "";
    for (const token of written) expect(text.split(token).length - 1, `${token} in ${text}`).toBe(1);
    for (let token = 1; token <= count; token += 1) expect(text.split(`<${token}>`).length - 1).toBeLessThanOrEqual(1);
  } finally {
    for (const editor of editors) editor.destroy();
    for (const node of nodes) node.kill();
  }
}

/** A place that is inside of no token. */
function placeIn(text: string, wish: number): number {
  let spot = text.length === 0 ? 0 : wish % (text.length + 1);
  while (spot > 0 && text.lastIndexOf("<", spot - 1) > text.lastIndexOf(">", spot - 1)) spot -= 1;
  return spot;
}

it(
  "is the same for everybody, and holds each thing that was confirmed once, whatever is cut, killed and written beside it",
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
  const steps: Step[] = [0, 1, 2, 0, 1, 2].map((one) => ({ kind: "write", who: one, at: 3 }));
  await play([...steps, { kind: "kill", node: 0 }, ...steps, { kind: "settle" }, { kind: "others" }, ...steps], redis.value);
  await running.kill();
  await play([...steps, { kind: "others" }, ...steps], redis.value);
});
