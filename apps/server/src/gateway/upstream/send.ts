import { Agent as HttpAgent, request as requestHttp, type IncomingMessage } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { AppError } from "@syla/contracts/errors";
import type { AddressRules } from "@syla/sandbox/egress/addresses";
import type { Resolve } from "@syla/sandbox/egress/resolve";

/** How long a provider may take to be connected to, to begin its answer, and to be silent within it. Milliseconds. */
export interface UpstreamTimes {
  readonly connectMs: number;
  readonly firstByteMs: number;
  readonly idleMs: number;
}

/** A request as it goes out. */
export interface UpstreamRequest {
  readonly method: "GET" | "POST";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  readonly signal: AbortSignal;
}

/** Its answer, which has begun. */
export interface UpstreamAnswer {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  /** Ends with an error when the provider stalls, cuts off, or sends too much. */
  readonly body: AsyncIterable<Buffer>;
}

/** Sends requests to providers. */
export type Send = (request: UpstreamRequest) => Promise<UpstreamAnswer>;

const mostAnswerBytes = 64 * 1024 * 1024;

/**
 * Connections to providers, kept open between calls. Names are looked up and checked in the same step that connects; redirections are not
 * followed, so that a key never reaches another host.
 */
export function createSend({ rules, resolve, times }: { rules: AddressRules; resolve: Resolve; times: UpstreamTimes }): Send {
  const options = { keepAlive: true, maxSockets: 256, timeout: 60_000 };
  const agents = { http: new HttpAgent(options), https: new HttpsAgent(options) };
  return async ({ method, url, headers, body, signal }) => {
    const { hostname, port, protocol } = addressOf(url);
    const refusal = isIP(hostname) === 0 ? null : rules.refusal(hostname, port);
    if (refusal !== null) throw unreachable(`${hostname} is refused: ${refusal}`, "SYLA_MODEL_ALLOW_PRIVATE lets an operator allow it.");
    const isTls = protocol === "https:";
    const outgoing = (isTls ? requestHttps : requestHttp)(url, {
      method,
      agent: isTls ? agents.https : agents.http,
      lookup: createLookup(rules, resolve, port),
      signal,
      headers: { ...headers, "accept-encoding": "identity", ...(body === null ? {} : { "content-length": Buffer.byteLength(body) }) },
    });
    outgoing.end(body ?? undefined);
    const response = await answerOf(outgoing, times, signal);
    return { status: response.statusCode ?? 0, headers: response.headers, body: readBody(response, times.idleMs, signal) };
  };
}

function addressOf(url: string): { hostname: string; port: number; protocol: string } {
  const { hostname, port, protocol } = new URL(url);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port), protocol };
}

function createLookup(rules: AddressRules, resolve: Resolve, port: number): LookupFunction {
  return (host, options, callback) => {
    const answer = (addresses: readonly string[]): void => {
      for (const address of addresses) {
        const refusal = rules.refusal(address, port);
        if (refusal !== null)
          return callback(
            unreachable(`${host} is refused: ${address} is ${refusal}`, "SYLA_MODEL_ALLOW_PRIVATE lets an operator allow it."),
            "",
            4,
          );
      }
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      if (options.all === true) callback(null, found);
      else callback(null, found[0]?.address ?? "", found[0]?.family ?? 4);
    };
    // `localhost` is no name that name servers are asked for.
    if (host === "localhost") return answer(["127.0.0.1"]);
    resolve(host).then(answer, () => callback(unreachable(`the name ${host} has no address`), "", 4));
  };
}

/** Waits for the head of the answer. */
function answerOf(outgoing: ReturnType<typeof requestHttp>, times: UpstreamTimes, signal: AbortSignal): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const limit = (ms: number, error: () => Error) => {
      clearTimeout(timer);
      timer = setTimeout(() => outgoing.destroy(error()), ms);
    };
    const waitForAnswer = () =>
      limit(times.firstByteMs, () => new AppError("model_timeout", { message: "The provider did not begin to answer in time." }));
    limit(times.connectMs, () => unreachable("no connection in time"));
    outgoing.once("socket", (socket) => {
      if (socket.connecting) socket.once("connect", waitForAnswer);
      else waitForAnswer();
    });
    outgoing.once("response", (response) => {
      clearTimeout(timer);
      resolve(response);
    });
    outgoing.once("error", (error) => {
      clearTimeout(timer);
      reject(signal.aborted ? (signal.reason as Error) : error instanceof AppError ? error : unreachable(describe(error)));
    });
  });
}

async function* readBody(response: IncomingMessage, idleMs: number, signal: AbortSignal): AsyncGenerator<Buffer> {
  let size = 0;
  let stalled = false;
  const stall = () => {
    stalled = true;
    response.destroy();
  };
  let timer = setTimeout(stall, idleMs);
  try {
    for await (const chunk of response) {
      clearTimeout(timer);
      size += (chunk as Buffer).length;
      if (size > mostAnswerBytes) throw new AppError("model_garbled", { message: "The provider's answer is too long." });
      yield chunk as Buffer;
      timer = setTimeout(stall, idleMs);
    }
    if (stalled) throw new AppError("model_timeout", { message: "The provider fell silent in the middle of its answer." });
    if (!response.complete) throw new AppError("model_cut_off");
  } catch (error) {
    if (error instanceof AppError) throw error;
    if (signal.aborted) throw signal.reason;
    if (stalled) throw new AppError("model_timeout", { message: "The provider fell silent in the middle of its answer." });
    throw new AppError("model_cut_off", { cause: error });
  } finally {
    clearTimeout(timer);
    response.destroy();
  }
}

/** All of a body as text. @throws AppError `model_garbled` when it is not UTF-8 */
export async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(chunks));
  } catch {
    throw new AppError("model_garbled", { message: "The provider's answer is not text." });
  }
}

function describe(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return code === undefined ? error.message : code;
}

function unreachable(what: string, hint?: string): AppError {
  return new AppError("model_unreachable", {
    message: `The provider cannot be reached: ${what}.`,
    ...(hint === undefined ? {} : { hint }),
  });
}
