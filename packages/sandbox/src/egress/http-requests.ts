import { request as sendRequest, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { pipeline } from "node:stream";
import type { HostCall } from "./hosts.ts";
import { connectOut, RefusedError, UnreachableError, type OutboundContext } from "./outbound.ts";
import { formatTarget, parseAuthority, type Target } from "./target.ts";

const httpPort = 80;
/** Of one connection, not of the message (RFC 9110 7.6.1). */
const hopByHop = [
  "connection",
  "proxy-connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "expect",
  "http2-settings",
];

/** What a program is told about a connection that it does not get. */
export interface Explanation {
  readonly status: number;
  readonly text: string;
}

/** Readable by the person who wrote the program. */
export function explain(error: unknown, host: string): Explanation {
  if (error instanceof RefusedError) {
    const advice = error.message.endsWith("allow list")
      ? `Allow it with \`--allow-domain ${host}\` (syla exec), under Network on the New run page, or with {"network": {"allow": ["${host}"]}} in the API.`
      : "Sandboxes reach public addresses only; an administrator can make exceptions (SYLA_NETWORK_ALLOW_PRIVATE).";
    return { status: 403, text: `Syla did not let this connection out. ${error.message}.\n${advice}\n` };
  }
  const message = error instanceof UnreachableError ? error.message : "the connection failed";
  return { status: 502, text: `Syla could not make this connection. ${message}.\n` };
}

export const notForProxy: Explanation = {
  status: 400,
  text: "This is the proxy of a Syla sandbox. It takes CONNECT, http:// requests in absolute form, and SOCKS5.\n",
};

/** `http://host[:port]/path` as it stands in the first line of a request. Null when it is anything else. */
export function parseAbsoluteForm(url: string): { target: Target; path: string } | null {
  const parts = /^http:\/\/([^/?#]+)([/?][^#]*)?$/i.exec(url);
  const target = parts?.[1] === undefined ? null : parseAuthority(parts[1], httpPort);
  if (target === null) return null;
  const rest = parts?.[2] ?? "/";
  return { target, path: rest.startsWith("?") ? `/${rest}` : rest };
}

/** Sends a plain HTTP request on, over a connection of its own, to the host of its first line and with that as its `Host`. */
export async function forwardRequest(context: OutboundContext, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const parsed = parseAbsoluteForm(request.url ?? "");
  if (parsed === null) return answer(request, response, notForProxy);
  const { target, path } = parsed;
  const host = hostOf(context, target);
  if (host !== undefined) return host({ request, response, path, connect: (to, isNamed) => connectFor(context, to, isNamed) });
  let outbound;
  try {
    outbound = await connectOut(context, target);
  } catch (error) {
    return answer(request, response, explain(error, target.host));
  }
  const { socket } = outbound;
  response.once("close", () => (response.writableFinished ? socket.destroy() : outbound.end("cut", "the program closed it")));
  if (response.destroyed) return outbound.end("cut", "the program closed it");
  const fail = () => {
    outbound.end("failed", "the server's answer is not HTTP, or ended early");
    if (response.headersSent) response.destroy();
    else answer(request, response, explain(new UnreachableError(`${formatTarget(target)} did not answer in HTTP`), target.host));
  };
  const headers = { ...requestHeaders(request), host: formatTarget(target, httpPort) };
  const outgoing = sendRequest({ method: request.method, path, headers, setHost: false, createConnection: () => socket });
  outgoing.on("error", fail);
  outgoing.once("response", (incoming) => {
    response.writeHead(incoming.statusCode ?? 502, incoming.statusMessage, responseHeaders(incoming));
    pipeline(incoming, response, () => {});
  });
  pipeline(request, outgoing, () => {});
}

/** Who answers for a name of the host's own; undefined when it is none. */
function hostOf({ hosts = {} }: OutboundContext, { host, port }: Target): ((call: HostCall) => void) | undefined {
  return port === httpPort && Object.hasOwn(hosts, host) ? hosts[host] : undefined;
}

/** A connection that the host makes for a run: the addresses are looked at as ever, the run's list is not. */
async function connectFor(context: OutboundContext, target: Target, isNamed: boolean): Promise<Socket> {
  return (await connectOut({ ...context, policy: { isFull: false, isNamed, allows: () => true } }, target)).socket;
}

function answer(request: IncomingMessage, response: ServerResponse, { status, text }: Explanation): void {
  request.resume();
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8", "x-syla-proxy": "refused", connection: "close" });
  response.end(text);
}

function endToEnd(message: IncomingMessage): (name: string) => boolean {
  const named = (message.headers.connection ?? "").split(",").map((name) => name.trim().toLowerCase());
  const dropped = new Set([...hopByHop, ...named]);
  return (name) => !dropped.has(name.toLowerCase());
}

function requestHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const keeps = endToEnd(request);
  const headers: OutgoingHttpHeaders = {};
  for (const [name, values] of Object.entries(request.headersDistinct)) {
    if (keeps(name) && name !== "host" && values !== undefined) headers[name] = values.length === 1 ? values[0] : values;
  }
  if (request.headers["transfer-encoding"] !== undefined) headers["transfer-encoding"] = "chunked";
  return headers;
}

/** As they came, doubles included: name, value, name, value. */
function responseHeaders(message: IncomingMessage): string[] {
  const keeps = endToEnd(message);
  return message.rawHeaders.flatMap((name, index) => (index % 2 === 0 && keeps(name) ? [name, message.rawHeaders[index + 1] ?? ""] : []));
}
