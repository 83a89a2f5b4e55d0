import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunInputDraft } from "@syla/sdk";
import { onTestFinished } from "vitest";

/** What the next run does. */
export interface Script {
  readonly output?: readonly (readonly ["stdout" | "stderr" | "system", string])[];
  /** The exact bytes of the log, when they are not the text above. */
  readonly log?: Readonly<Record<string, Buffer>>;
  /** Pages of what a search finds in the log. */
  readonly found?: readonly object[];
  readonly run?: Readonly<Record<string, unknown>>;
  /** Do not end until the run is cancelled. */
  readonly holdUntilCancelled?: boolean;
  /** Cut the event stream after that many events, once. */
  readonly cutAfter?: number;
  readonly artifacts?: readonly { readonly path: string; readonly content: string }[];
}

/** A server that speaks the protocol over real HTTP and plays a script in place of a program. */
export interface FakeSyla {
  readonly url: string;
  script: Script;
  readonly submitted: RunInputDraft[];
  readonly uploads: Buffer[];
  readonly requests: { method: string; url: string; authorization: string | undefined }[];
  /** Answers every submission with this problem. */
  refuse: { status: number; code: string; message: string; fields?: object[] } | null;
}

const goodKey = "syla_key_good";
const runId = "run_01test";
const time = "2026-01-01T00:00:00.000Z";
const nothing = { value: 1, enforcedBy: "none" };
const limits = {
  wallMs: nothing,
  cpus: nothing,
  memoryBytes: nothing,
  processes: nothing,
  openFiles: nothing,
  diskBytes: nothing,
  outputBytes: nothing,
};

/** Starts it; closed when the test ends. */
export async function startFakeSyla(script: Script = {}): Promise<FakeSyla> {
  const state = {
    fake: { script, submitted: [], uploads: [], requests: [], refuse: null, url: "" } as FakeSyla,
    cancelled: () => {},
    connections: 0,
  };
  const whenCancelled = new Promise<void>((resolve) => (state.cancelled = resolve));
  const handle = async (request: IncomingMessage, response: ServerResponse) => {
    const body = await readBody(request);
    const url = new URL(request.url ?? "/", "http://fake");
    state.fake.requests.push({ method: request.method ?? "", url: request.url ?? "", authorization: request.headers.authorization });
    if (request.headers.authorization !== `Bearer ${goodKey}` && !url.pathname.endsWith("z"))
      return sendProblem(response, 401, "invalid_api_key", "The API key is unknown.");
    await answer(state.fake, {
      request,
      response,
      body,
      url,
      whenCancelled,
      cancel: state.cancelled,
      connection: () => state.connections++,
    });
  };
  const server = createServer((request, response) => void handle(request, response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(state.fake, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

/** The environment that points the CLI at it. */
export function pointAt(fake: FakeSyla, key: string = goodKey): Record<string, string> {
  return { SYLA_URL: fake.url, SYLA_API_KEY: key };
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly body: Buffer;
  readonly url: URL;
  readonly whenCancelled: Promise<void>;
  readonly cancel: () => void;
  readonly connection: () => number;
}

async function answer(fake: FakeSyla, exchange: Exchange): Promise<void> {
  const { request, response, body, url } = exchange;
  const operation = `${request.method} ${url.pathname.replace(runId, ":id")}`;
  const artifacts = fake.script.artifacts ?? [];
  if (operation === "GET /api/v1/users/me")
    return sendJson(response, 200, { id: "user_1", name: "Ada", email: "ada@example.com", role: "developer", createdAt: time });
  if (operation === "POST /api/v1/executions") {
    if (fake.refuse !== null) return sendProblem(response, fake.refuse.status, fake.refuse.code, fake.refuse.message, fake.refuse.fields);
    fake.submitted.push(JSON.parse(body.toString("utf8")) as RunInputDraft);
    return sendJson(response, 202, makeRun(fake.script, { status: "queued", exitCode: null }));
  }
  if (operation === "POST /api/v1/blobs") {
    fake.uploads.push(body);
    return sendJson(response, 201, { sha256: createHash("sha256").update(body).digest("hex"), size: body.length });
  }
  if (operation === "GET /api/v1/runs/:id/events") return streamEvents(fake.script, exchange);
  if (operation === "POST /api/v1/runs/:id/cancel") {
    exchange.cancel();
    return sendJson(response, 202, makeRun(fake.script, { status: "running" }));
  }
  if (operation === "GET /api/v1/runs/:id") return sendJson(response, 200, makeRun(fake.script));
  if (operation === "GET /api/v1/runs/:id/log")
    return void response.writeHead(200).end(logOf(fake.script, url.searchParams.get("stream") ?? "all"));
  if (operation === "GET /api/v1/runs/:id/log/lines") {
    const after = Number(url.searchParams.get("after"));
    return sendJson(response, 200, fake.script.found?.[after] ?? {});
  }
  if (operation === "GET /api/v1/runs/:id/artifacts") {
    return sendJson(response, 200, {
      items: artifacts.map(({ path, content }, index) => ({
        id: String(index),
        path,
        size: content.length,
        sha256: "",
        mimeType: "text/plain",
      })),
    });
  }
  const [, index] = /artifacts\/(\d+)$/.exec(url.pathname) ?? [];
  if (index !== undefined) return void response.writeHead(200).end(artifacts[Number(index)]?.content);
  sendProblem(response, 404, "not_found", "There is nothing here.");
}

async function streamEvents(script: Script, { request, response, whenCancelled, connection }: Exchange): Promise<void> {
  const after = Number(request.headers["last-event-id"] ?? 0);
  const first = connection() === 0;
  response.writeHead(200, { "content-type": "text/event-stream" });
  const events: object[] = [{ type: "status", time, status: "running", phase: null, attempt: 1 }];
  for (const [stream, text] of script.output ?? []) events.push({ type: "log", time, stream, text });
  for (const [index, event] of events.entries()) {
    if (index < after) continue;
    if (first && script.cutAfter === index) return void response.socket?.destroy();
    await new Promise<void>((resolve) => response.write(frame(index + 1, event), () => resolve()));
  }
  if (script.holdUntilCancelled === true) await whenCancelled;
  response.end(frame(events.length + 1, { type: "end", time, run: makeRun(script) }));
}

function frame(seq: number, event: object): string {
  return `id: ${seq}\ndata: ${JSON.stringify({ ...event, seq })}\n\n`;
}

function textOf(script: Script, wanted: string): string {
  return (script.output ?? [])
    .filter(([stream]) => stream === wanted)
    .map(([, text]) => text)
    .join("");
}

function logOf(script: Script, stream: string): Buffer {
  return (
    script.log?.[stream] ?? Buffer.from(stream === "all" ? (script.output ?? []).map(([, text]) => text).join("") : textOf(script, stream))
  );
}

function makeRun(script: Script, overrides: object = {}): object {
  const [stdout, stderr] = [textOf(script, "stdout"), textOf(script, "stderr")];
  return {
    id: runId,
    kind: "execution",
    status: "succeeded",
    phase: null,
    language: "python",
    entrypoint: "main.py",
    attempt: 1,
    exitCode: 0,
    signal: null,
    error: null,
    timings: { queueMs: 1, startMs: 2, compileMs: null, compileCached: null, runMs: 3, totalMs: 6 },
    createdAt: time,
    tier: "namespace",
    network: "none",
    usage: null,
    limits,
    stdout: stdout.slice(0, 65_536),
    stderr: stderr.slice(0, 65_536),
    truncated: false,
    output: { stdoutBytes: Buffer.byteLength(stdout), stderrBytes: Buffer.byteLength(stderr), droppedBytes: 0 },
    artifactCount: script.artifacts?.length ?? 0,
    skippedArtifacts: [],
    cached: false,
    ...script.run,
    ...overrides,
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendProblem(response: ServerResponse, status: number, code: string, detail: string, fields: object[] = []): void {
  sendJson(response, status, {
    type: "about:blank",
    title: code,
    status,
    code,
    detail,
    hint: "A hint.",
    requestId: "req_1",
    fields,
    details: {},
  });
}
