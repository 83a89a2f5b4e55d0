import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { liveTextName } from "@syla/contracts/workspace-live";
import { percentile } from "./load.ts";
import { cpuSeconds } from "./process-use.ts";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs, type Server } from "./servers.ts";

/**
 * How long what somebody types into a file takes to the others who have it open, and whether all have the same at the end:
 * `node bench/collaborators.ts [COLLABORATORS] [SECONDS] [--write]`. The reference is two who type as fast, in the same round.
 */

const { positionals } = parseArgs({ allowPositionals: true, options: { write: { type: "boolean" } } });
const [most = 50, seconds = 20] = positionals.map(Number);
const rounds = 3;
const keysPerSecond = 3;
const lines = 200;
const begin = "Some words that were there before.\n".repeat(lines);

async function call<T>({ port, headers }: Server, method: string, path: string, body?: unknown): Promise<T> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1${path}`, {
    method,
    headers: { ...headers, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return (await answer.json()) as T;
}

/** When each key was pressed, by the replica and in their order, ms. */
type Pressed = Map<number, number[]>;

/** Somebody with a connection of their own, who is seen in the room and in the file, as on the page. */
class Collaborator {
  readonly provider: HocuspocusProvider;
  readonly #socket: HocuspocusProviderWebsocket;
  readonly #room: HocuspocusProvider;
  readonly #pressed: Pressed;

  constructor({ port, headers }: Server, workspaceId: string, name: string, pressed: Pressed, lags: number[]) {
    const url = `ws://127.0.0.1:${port}/api/v1/workspaces/${workspaceId}/live`;
    this.#pressed = pressed;
    this.#socket = new HocuspocusProviderWebsocket({
      url,
      WebSocketPolyfill: class extends WebSocket {
        constructor() {
          super(url, { headers });
        }
      },
    });
    this.#room = new HocuspocusProvider({ websocketProvider: this.#socket, name: workspaceId, token: "" });
    this.#room.attach();
    this.#room.awareness?.setLocalState({ path: name });
    this.provider = new HocuspocusProvider({ websocketProvider: this.#socket, name, token: "" });
    this.provider.attach();
    this.text.observe((_event, { local, beforeState, afterState }) => {
      if (local) return;
      const now = performance.now();
      for (const [client, after] of afterState) {
        const times = pressed.get(client);
        if (times === undefined) continue;
        for (let clock = beforeState.get(client) ?? 0; clock < after; clock += 1) lags.push(now - (times[clock] ?? Number.NaN));
      }
    });
  }

  get text() {
    return this.provider.document.getText(liveTextName);
  }

  /** Presses keys at places that nobody foresees. @returns how many */
  async type(end: number): Promise<number> {
    const { clientID } = this.provider.document;
    const times: number[] = [];
    this.#pressed.set(clientID, times);
    for (;;) {
      await sleep((Math.random() * 2000) / keysPerSecond);
      if (performance.now() > end) return times.length;
      times.push(performance.now());
      this.text.insert(Math.floor(Math.random() * (this.text.length + 1)), "k");
      const place = { type: null, tname: null, item: { client: clientID, clock: times.length - 1 }, assoc: 0 };
      this.provider.setAwarenessField("cursor", { anchor: place, head: place });
    }
  }

  get isSaved(): boolean {
    return this.provider.isSynced && !this.provider.hasUnsyncedChanges;
  }

  close(): void {
    this.provider.destroy();
    this.#room.destroy();
    this.#socket.destroy();
  }
}

interface Figures {
  readonly keys: number;
  readonly lags: readonly number[];
  readonly serverShare: number;
  readonly typingShare: number;
}

async function until(what: string, isThere: () => boolean): Promise<void> {
  for (const deadline = performance.now() + 120_000; !isThere(); await sleep(20))
    if (performance.now() > deadline) throw new Error(`${what} has not come`);
}

async function measure(server: Server, workspaceId: string, path: string, count: number): Promise<Figures> {
  const { id: name } = await call<{ id: string }>(server, "GET", `/workspaces/${workspaceId}/document?path=${path}`);
  const lags: number[] = [];
  const pressed: Pressed = new Map();
  const people = Array.from({ length: count }, () => new Collaborator(server, workspaceId, name, pressed, lags));
  try {
    await until("everybody", () => people.every(({ provider }) => provider.isSynced));
    const [serverBefore, before, began] = [cpuSeconds(server.pid), process.cpuUsage(), performance.now()];
    const typed = await Promise.all(people.map((person) => person.type(began + seconds * 1000)));
    const elapsed = (performance.now() - began) / 1000;
    const { user, system } = process.cpuUsage(before);
    const serverShare = (cpuSeconds(server.pid) - serverBefore) / elapsed;
    const keys = typed.reduce((sum, one) => sum + one, 0);
    await until("what was typed", () => people.every(({ isSaved }) => isSaved));
    await until("the same text", () => new Set(people.map(({ text }) => text.toJSON())).size === 1);
    const text = people[0]?.text.toJSON() ?? "";
    if (text.length !== begin.length + keys) throw new Error(`${keys} keys were pressed, and ${text.length - begin.length} are there`);
    if (lags.length !== keys * (count - 1)) throw new Error(`${lags.length} keys were seen, of ${keys * (count - 1)}`);
    await call(server, "POST", `/workspaces/${workspaceId}/versions`, { message: path });
    const file = await fetch(`http://127.0.0.1:${server.port}/api/v1/workspaces/${workspaceId}/file?path=${path}`, {
      headers: server.headers,
    });
    if ((await file.text()) !== text) throw new Error("the file is not what was typed");
    return { keys, lags, serverShare, typingShare: (user + system) / 1e6 / elapsed };
  } finally {
    for (const person of people) person.close();
  }
}

await using server = await startOurs({ SYLA_RATE_LIMIT: "0" });
const counts = [2, most];
const paths = Array.from({ length: rounds }, (_, round) => counts.map((count) => `round-${round}-of-${count}.txt`));
const files = paths.flat().map((path) => ({ path, content: begin }));
const { id } = await call<{ id: string }>(server, "POST", "/workspaces", { name: "Together", kind: "collaborative", files });
const found: Figures[][] = counts.map(() => []);
for (const round of paths) for (const [at, path] of round.entries()) found[at]?.push(await measure(server, id, path, counts[at] ?? 0));

const shares = [0.5, 0.95, 0.99, 1];
const lagsOf = (figures: readonly Figures[]) => {
  const all = figures.flatMap(({ lags }) => lags);
  return shares.map((share) => (share === 1 ? all.reduce((a, b) => Math.max(a, b), 0) : percentile(all, share)));
};
const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const lags = found.map(lagsOf);
const rows = found.map((figures, at) => [
  `${counts[at]}`,
  `${figures.reduce((sum, { keys }) => sum + keys, 0)}`,
  `${figures.reduce((sum, one) => sum + one.lags.length, 0)}`,
  ...(lags[at] ?? []).map((ms) => ms.toFixed(1)),
  percent(mean(figures.map(({ serverShare }) => serverShare))),
  percent(mean(figures.map(({ typingShare }) => typingShare))),
]);
const ratios = shares.map((_, at) => `${((lags[1]?.[at] ?? Number.NaN) / (lags[0]?.[at] ?? Number.NaN)).toFixed(2)}×`);
report(
  `${most} people in one file`,
  `\`node bench/collaborators.ts ${most} ${seconds}\`, ${describeMachine()}. Each has a connection, presses ${keysPerSecond} keys a second at places all over a file of ${lines} lines, and shows the cursor with each; ` +
    `${rounds} rounds of ${seconds} s for each number, in turns. From a key until it is in the text of another person; all of those are in one process, on the same processors as the server.\n\n${markdownTable(
      ["people", "keys", "seen by others", "p50 ms", "p95 ms", "p99 ms", "most", "processor, server", "processor, people"],
      [...rows, ["ratio", "", "", ...ratios, "", ""]],
    )}\n\nAfter each round all have the same text, with every key in it, and it is what the file holds.`,
);
