import { connect, type Socket } from "node:net";
import { route } from "@syla/contracts/route";
import { expect, it } from "vitest";
import { createHttp, type HttpServer } from "../../src/platform/http.ts";
import { createLogger } from "../../src/platform/logger.ts";

const live = route({
  summary: "test",
  tag: "test",
  method: "GET",
  path: "/live",
  auth: "user",
  responses: { 200: "websocket" },
  errors: [],
});

interface Listening {
  readonly http: HttpServer<object>;
  readonly port: number;
  /** Lets those in that wait to be known. */
  readonly know: () => void;
  /** Somebody waits to be known. */
  readonly asked: Promise<void>;
}

async function listen(): Promise<Listening> {
  const [known, asked] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const http = createHttp<object>({
    logger: createLogger("silent"),
    basePath: "",
    publicUrl: undefined,
    trustProxy: false,
    bodyLimit: 1000,
    isDraining: () => false,
    authenticate: async (request) => {
      asked.resolve();
      if (request.headers.authorization === "slow") await known.promise;
      return {};
    },
  });
  http.bindSocket(live, async () => async () => {});
  return { http, port: await http.listen("127.0.0.1", 0), know: known.resolve, asked: asked.promise };
}

/** A caller who never says that they have had enough. */
async function call(port: number): Promise<{ readonly socket: Socket; readonly heard: Promise<string> }> {
  const socket = connect({ port, host: "127.0.0.1", allowHalfOpen: true });
  socket.on("error", () => {});
  const heard = new Promise<string>((resolve) => socket.once("data", (data) => resolve(data.toString())));
  await new Promise((resolve) => socket.once("connect", resolve));
  return { socket, heard };
}

const asking = (path: string, more: readonly string[] = []) =>
  [
    `GET ${path} HTTP/1.1`,
    "host: x",
    "connection: Upgrade",
    "upgrade: websocket",
    "sec-websocket-version: 13",
    "sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==",
    ...more,
    "",
    "",
  ].join("\r\n");

it("closes although somebody is let in only then, and stays", async () => {
  const { http, port, know, asked } = await listen();
  const { socket, heard } = await call(port);
  socket.write(asking("/live", ["authorization: slow"]));
  await asked;
  const closed = http.close();
  // What is open was cut by then.
  await new Promise((resolve) => setImmediate(resolve));
  know();
  expect(await heard).toMatch(/^HTTP\/1\.1 101 /);
  await closed;
  socket.destroy();
});

it("closes although somebody asks to be let in meanwhile, whether they stay or go", async () => {
  const { http, port } = await listen();
  const [staying, going] = [await call(port), await call(port)];
  const closed = http.close();
  staying.socket.write(asking("/live"));
  going.socket.write(asking("/live"), () => going.socket.destroy());
  expect(await staying.heard).toMatch(/^HTTP\/1\.1 503 /);
  await closed;
  staying.socket.destroy();
});

it("lets go of who was not let in, also where the address means nothing", async () => {
  const { http, port } = await listen();
  for (const [path, status] of [
    ["/none", 404],
    ["/%zz", 400],
  ] as const) {
    const { socket, heard } = await call(port);
    const ended = new Promise((resolve) => socket.once("end", resolve));
    socket.write(asking(path));
    expect(await heard).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    await ended;
    socket.destroy();
  }
  await http.close();
});
