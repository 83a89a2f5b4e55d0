import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../src/told");

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly body: Buffer;
}
interface Told {
  readonly attempt: number;
  readonly events: { seq: number; path: string; output?: object }[];
}

/** Runs Python with a channel to a server that answers as it is told. */
async function talk(source: string, answer: (asked: Asked, request: IncomingMessage, response: ServerResponse) => void) {
  const seen: Asked[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const asked = { method: request.method ?? "", url: request.url ?? "", body: await buffer(request) };
      seen.push(asked);
      answer(asked, request, response);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const code = `import json, sys\nsys.path.insert(0, ${JSON.stringify(folder)})\nfrom syla_channel import Channel\nchannel = Channel("http://127.0.0.1:${port}", 3, patience=8)\n${source}`;
  try {
    const child = spawn("python3", ["-c", code], { stdio: ["ignore", "pipe", "pipe"] });
    const [printed, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return {
      printed,
      errors,
      seen,
      told: seen.filter(({ url }) => url === "/syla/v1/nodes").map(({ body }) => JSON.parse(body.toString()) as Told),
    };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
const ok = (response: ServerResponse, body: object = {}) => response.end(JSON.stringify(body));

test("events come in order, each once, though the server is away for a while", async () => {
  let failures = 0;
  const { told, errors } = await talk(
    `for index in range(250):\n    channel.tell({"path": f"n{index}", "state": "running"})\nchannel.flush()`,
    (_, request, response) => {
      failures += 1;
      if (failures === 1) response.writeHead(503).end("{}");
      else if (failures === 2) request.socket.destroy();
      else if (failures === 3) response.writeHead(429).end("{}");
      else ok(response);
    },
  );
  expect(errors).toBe("");
  const taken = told.slice(3);
  expect(taken.every(({ attempt, events }) => attempt === 3 && events.length <= 100)).toBe(true);
  expect(taken.flatMap(({ events }) => events.map(({ seq, path }) => `${seq} ${path}`))).toEqual(
    Array.from({ length: 250 }, (_, index) => `${index + 1} n${index}`),
  );
});

test("what is large is sent before it is told of, and once", async () => {
  const { seen, told } = await talk(
    `for index in range(2):\n    channel.tell({"path": "n", "state": "succeeded", "output": b'"' + b"x" * 20000 + b'"'})\nchannel.flush()`,
    (_, __, response) => ok(response),
  );
  expect(seen.map(({ method, body }) => [method, body.length > 20_000])).toEqual([
    ["PUT", true],
    ["POST", false],
  ]);
  const output = { blob: seen[0]?.url.split("/").at(-1), bytes: 20_002, preview: `"${"x".repeat(499)}` };
  expect(told.flatMap(({ events }) => events.map((event) => event.output))).toEqual([output, output]);
});

test("a server that does not come back ends the telling, and not the composition", { timeout: 60_000 }, async () => {
  const { printed, errors } = await talk(
    `channel.tell({"path": "n", "state": "running"})\nchannel.flush()\nprint(channel.ask("n", "0" * 64))\nchannel.tell({"path": "n", "state": "succeeded"})\nchannel.flush()\nprint("goes on")`,
    (_, __, response) => response.writeHead(500).end("{}"),
  );
  expect(printed).toBe("None\ngoes on\n");
  expect(errors).toContain("the nodes of this composition are not told any more");
});

test("who has to decide is asked when all before is told; a refusal is an error", async () => {
  const { printed, seen } = await talk(
    `channel.tell({"path": "n", "state": "running"})\nprint(channel.approval("ask", "Good?", b"{}"))\ntry:\n    channel.approval("bad", "Good?", b"{}")\nexcept Exception as error:\n    print(type(error).__name__)`,
    ({ body }, _, response) => (body.includes('"bad"') ? response.writeHead(400).end("{}") : ok(response, { decision: "waiting" })),
  );
  expect(printed).toBe("waiting\nChannelError\n");
  expect(seen.map(({ url }) => url)).toEqual(["/syla/v1/nodes", "/syla/v1/nodes/approval", "/syla/v1/nodes/approval"]);
});
