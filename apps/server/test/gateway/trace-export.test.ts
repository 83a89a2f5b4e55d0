import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { RunTrace } from "@syla/contracts/traces";
import { loadConfig } from "@syla/server/config";
import { Secret } from "@syla/server/platform/secret";
import { openTraceExport, type ExportOutcome, type TraceTarget } from "@syla/server/runs/tracing/trace-export";
import { execute, submit } from "@syla/testkit/runs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createAccount } from "../access/people.ts";
import { openGateway, providerKey, type GatewaySetting } from "./gateway-setting.ts";

/** What an OTLP receiver was sent. */
interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** An OTLP receiver on loopback that answers as it is told. */
class Receiver {
  readonly received: Received[] = [];
  answer: (response: ServerResponse) => void = (response) => response.writeHead(200, { "content-type": "application/json" }).end("{}");
  readonly #server: Server;
  readonly url: string;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(): Promise<Receiver> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const receiver = new Receiver(server);
    server.on("request", (request, response) => void receiver.#take(request, response));
    return receiver;
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = Buffer.concat(await request.toArray());
    this.received.push({ path: request.url ?? "", headers: request.headers, body });
    this.answer(response);
  }

  /** The spans that came as JSON, of one run. */
  spansOf(runId: string): OtlpSpan[] {
    return this.received
      .filter(({ headers }) => headers["content-type"] === "application/json")
      .flatMap(({ body }) => (JSON.parse(body.toString()) as OtlpRequest).resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))
      .filter((span) => attributesOf(span)["syla.run.id"] === runId);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly status: { readonly code: number };
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[];
}
interface OtlpRequest {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: OtlpSpan["attributes"] };
    readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[];
  }[];
}

function attributesOf({ attributes }: Pick<OtlpSpan, "attributes">): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

let receiver: Receiver;
let setting: GatewaySetting;
beforeAll(async () => {
  receiver = await Receiver.start();
  setting = await openGateway({
    SYLA_OTLP_ENDPOINT: receiver.url,
    SYLA_OTLP_PROTOCOL: "http/json",
    SYLA_OTLP_HEADERS: "x-api-key=otlp%20key",
  });
});
afterAll(async () => {
  await setting[Symbol.asyncDispose]();
  receiver.stop();
});

const exported = async (runId: string) => await expect.poll(() => receiver.spansOf(runId).length, { timeout: 20_000 }).toBeGreaterThan(0);
const code = `
import json, os, sys, urllib.request
body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "a planted prompt"}]}).encode()
urllib.request.urlopen(urllib.request.Request(os.environ["OPENAI_BASE_URL"] + "/chat/completions", body, {"content-type": "application/json"})).read()
raise ValueError("a planted message")`;

describe("the export of traces", () => {
  it("sends each run as the spans of its trace, with what its calls cost, and nothing that was said", async () => {
    const model = await setting.model("GPT", { prices: { input: 1, output: 2, cachedInput: 0.5 } });
    setting.llm.behave({ status: 503, times: 1, text: "a planted answer" });
    const parent = { traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01" };
    const input = { language: "python", code, models: [model.id], args: ["a planted argument"], env: { SECRET: "a planted variable" } };
    const run = await execute(setting.server, input, { ...setting.ann.headers, ...parent });
    setting.llm.behave({});
    await exported(run.id);
    const spans = receiver.spansOf(run.id);
    const trace = await setting.json<RunTrace>(setting.send(setting.ann, "GET", `/api/v1/runs/${run.id}/trace`));
    expect(trace.totals?.cost).toBeGreaterThan(0);
    expect(spans.map(({ spanId }) => spanId).toSorted()).toEqual(trace.spans.map(({ id }) => id).toSorted());
    expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set(["4bf92f3577b34da6a3ce929d0e0e4736"]));
    const named = (name: string) => spans.filter((span) => span.name === name);
    const [root] = named("run execution");
    expect(root).toMatchObject({ parentSpanId: "00f067aa0ba902b7", kind: 2, status: { code: 2 } });
    expect(attributesOf(root as OtlpSpan)).toMatchObject({
      "syla.tenant.id": setting.ann.id,
      "syla.run.status": "failed",
      "syla.run.error_class": "user_code",
      "error.type": run.error?.code,
      "syla.llm.calls": 1,
      "syla.llm.cost_usd": trace.totals?.cost,
    });
    for (const name of ["queue", "start", "sandbox", "execution"]) expect(named(name)).toHaveLength(1);
    const [call] = named("chat upstream-1");
    expect(call?.parentSpanId).toBe(named("execution")[0]?.spanId);
    expect(attributesOf(call as OtlpSpan)).toMatchObject({
      "gen_ai.operation.name": "chat",
      "gen_ai.provider.name": "openai",
      "gen_ai.request.model": "upstream-1",
      "gen_ai.usage.input_tokens": trace.totals?.inputTokens,
      "gen_ai.usage.output_tokens": trace.totals?.outputTokens,
      "gen_ai.usage.cache_read.input_tokens": trace.totals?.cachedTokens,
      "syla.llm.cost_usd": trace.totals?.cost,
      "syla.model.id": model.id,
    });
    const attempts = named("POST");
    expect(attempts.map((span) => attributesOf(span)["http.response.status_code"])).toEqual([503, 200]);
    expect(attempts.every(({ parentSpanId }) => parentSpanId === call?.spanId)).toBe(true);
    for (const { startTimeUnixNano, endTimeUnixNano } of spans)
      expect(BigInt(endTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(startTimeUnixNano));
    const { path, headers, body } = receiver.received.at(-1) as Received;
    expect([path, headers["x-api-key"]]).toEqual(["/v1/traces", "otlp key"]);
    expect(attributesOf((JSON.parse(body.toString()) as OtlpRequest).resourceSpans[0]?.resource as never)).toMatchObject({
      "service.name": "syla",
    });
    const everything = receiver.received.map((request) => request.body.toString()).join("\n");
    for (const planted of ["planted", providerKey, "syla_run_"]) expect(everything).not.toContain(planted);
  });

  it("sends runs that no worker had", async () => {
    const { database } = setting.server.context;
    const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString();
    const run = await submit(setting.server, { language: "bash", code: "true", startAt: inAnHour() }, setting.ann.headers);
    await setting.send(setting.ann, "POST", `/api/v1/runs/${run.id}/cancel`);
    await exported(run.id);
    expect(
      receiver
        .spansOf(run.id)
        .map(({ name }) => name)
        .toSorted(),
    ).toEqual(["queue", "request", "run execution"]);
    expect(await database.queries.selectFrom("runs").select("status").where("id", "=", run.id).executeTakeFirst()).toEqual({
      status: "cancelled",
    });
    const bob = await createAccount(setting.server);
    const later = await submit(setting.server, { language: "bash", code: "true", startAt: inAnHour() }, bob.headers);
    expect((await setting.server.send("POST", `/api/v1/users/${bob.id}/suspend`, { reason: "x" })).status).toBe(200);
    await exported(later.id);
  });

  describe("of a server of its own", () => {
    const open = async (target: Partial<TraceTarget>) => {
      const counts: Record<ExportOutcome, number> = { sent: 0, failed: 0, dropped: 0 };
      const warnings: unknown[] = [];
      const { database, callBook } = setting.server.context;
      const exporting = await openTraceExport(
        { endpoint: receiver.url, protocol: "http/protobuf", headers: undefined, ...target },
        {
          queries: database.queries,
          calls: callBook,
          nodesOf: () => Promise.resolve({ nodes: [], omitted: 0 }),
          version: "1",
          logger: { warn: (facts: unknown) => void warnings.push(facts) } as never,
          count: (outcome, runs) => (counts[outcome] += runs),
        },
      );
      return { exporting, counts, warnings };
    };
    const aRun = async () => (await execute(setting.server, { language: "bash", code: "true" }, setting.ann.headers)).id;

    it("speaks protobuf", async () => {
      const { exporting, counts } = await open({ endpoint: `${receiver.url}/v1/traces`, headers: new Secret("a=b") });
      const id = await aRun();
      exporting.note(id);
      exporting.note("run_00000000000000000000000000");
      await exporting.stop();
      expect(counts).toEqual({ sent: 1, failed: 0, dropped: 1 });
      const { headers, body, path } = receiver.received.findLast(
        (request) => request.headers["content-type"] === "application/x-protobuf",
      ) as Received;
      expect([path, headers["a"]]).toEqual(["/v1/traces", "b"]);
      expect(body.includes(Buffer.from(id))).toBe(true);
    });

    it("counts what is refused, what is answered with nonsense is said in the log, and what nobody takes does not hold up the end", async () => {
      const id = await aRun();
      const before = receiver.answer;
      receiver.answer = (response) => response.writeHead(400).end("a planted answer of the receiver");
      const refused = await open({});
      refused.exporting.note(id);
      await refused.exporting.stop();
      expect(refused.counts).toEqual({ sent: 0, failed: 1, dropped: 0 });
      expect(JSON.stringify(refused.warnings)).toContain("400");
      expect(JSON.stringify(refused.warnings)).not.toContain("planted");
      receiver.answer = (response) => response.writeHead(200).end("<html>not what was asked for</html>");
      const garbled = await open({});
      garbled.exporting.note(id);
      await garbled.exporting.stop();
      expect(garbled.counts.sent).toBe(1);
      expect(garbled.warnings).toHaveLength(1);
      // Never answers, as one that is down: the server's end waits a moment and goes on.
      receiver.answer = () => undefined;
      const silent = await open({});
      silent.exporting.note(id);
      await silent.exporting.stop();
      expect(silent.counts.sent).toBe(0);
      receiver.answer = before;
    });

    it("keeps no more waiting than there is room for", async () => {
      const { exporting, counts } = await open({ endpoint: "http://127.0.0.1:9" });
      for (let index = 0; index < 6000; index += 1) exporting.note(`run_${index}`);
      expect(counts.dropped).toBe(1000);
    });
  });
});

it("headers are read as OpenTelemetry writes them, and shown nowhere", () => {
  const read = (text: string) => loadConfig({ HOME: "/tmp", SYLA_OTLP_HEADERS: text }).otlpHeaders;
  expect(read("authorization=Basic%20abc%3D%3D, x-scope-orgid = 1")?.reveal()).toContain("Basic%20");
  expect(String(read("a=b"))).toBe("[secret]");
  for (const wrong of ["a", "=b", "a b=c", "a=%zz", "a=%0d%0ab", "a=b,,c=d"]) expect(() => read(wrong)).toThrow("SYLA_OTLP_HEADERS");
  expect(() => loadConfig({ HOME: "/tmp", SYLA_OTLP_ENDPOINT: "localhost:4318" })).toThrow("SYLA_OTLP_ENDPOINT");
  expect(() => loadConfig({ HOME: "/tmp", SYLA_OTLP_PROTOCOL: "grpc" })).toThrow("SYLA_OTLP_PROTOCOL");
});
