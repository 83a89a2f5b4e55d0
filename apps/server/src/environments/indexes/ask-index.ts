import { request as sendRequest, type IncomingMessage } from "node:http";
import { isIP, type Socket } from "node:net";
import { connect as connectTls, getCACertificates, rootCertificates } from "node:tls";
import type { HostCall } from "@syla/sandbox/egress/hosts";

const firstByteMs = 30_000;
const idleMs = 60_000;
const mostRedirections = 5;
const redirections = new Set([301, 302, 303, 307, 308]);

/** A question to an index. */
export interface IndexQuestion {
  readonly method: "GET" | "HEAD";
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  /** Goes to `origin` alone, never along a redirection that leads elsewhere. */
  readonly authorization: { readonly origin: string; readonly value: string } | null;
  /** Of hosts that the operator has named. They may be private. */
  readonly namedOrigin: string | null;
}

/** What an index answered. */
export interface IndexAnswer {
  readonly answer: IncomingMessage;
  /** Where it came from at last: links in it are meant from there. */
  readonly url: URL;
}

let trusted: readonly string[] | undefined;

/** Asks an index, over connections of the build. @throws Error that says what went wrong */
export async function askIndex(question: IndexQuestion, connect: HostCall["connect"]): Promise<IndexAnswer> {
  let { url } = question;
  for (let count = 0; ; count += 1) {
    const answer = await askOnce({ ...question, url }, connect);
    const { location } = answer.headers;
    if (!redirections.has(answer.statusCode ?? 0) || location === undefined) return { answer, url };
    answer.destroy();
    if (count === mostRedirections || !URL.canParse(location, url.href)) throw new Error("it redirects without end");
    const next = new URL(location, url);
    if (next.protocol !== "https:" && next.protocol !== url.protocol) throw new Error("it redirects to an address that is not secure");
    next.username = next.password = "";
    url = next;
  }
}

async function askOnce(
  { method, url, headers, authorization, namedOrigin }: IndexQuestion,
  connect: HostCall["connect"],
): Promise<IncomingMessage> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const isTls = url.protocol === "https:";
  const port = url.port === "" ? (isTls ? 443 : 80) : Number(url.port);
  const raw = await connect({ host, port }, url.origin === namedOrigin);
  const socket = isTls ? secure(raw, host) : raw;
  const secret = authorization !== null && authorization.origin === url.origin ? { authorization: authorization.value } : {};
  return await new Promise((resolve, reject) => {
    const outgoing = sendRequest({
      method,
      path: url.pathname + url.search,
      headers: { ...headers, ...secret, host: url.host, "accept-encoding": "identity", "user-agent": "Syla" },
      setHost: false,
      createConnection: () => socket,
    });
    const timer = setTimeout(() => outgoing.destroy(new Error("it did not answer in time")), firstByteMs);
    socket.setTimeout(idleMs, () => outgoing.destroy(new Error("it fell silent")));
    outgoing.once("response", (answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
    outgoing.once("error", (error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(error);
    });
    outgoing.end();
  });
}

/** With the certificates of this machine besides those that Node.js brings. */
function secure(socket: Socket, host: string): Socket {
  trusted ??= [...rootCertificates, ...getCACertificates("system"), ...getCACertificates("extra")];
  return connectTls({ socket, ca: [...trusted], ALPNProtocols: ["http/1.1"], ...(isIP(host) === 0 && { servername: host }) });
}

/** All of an answer as text. @throws Error when it is longer than that, or takes longer */
export async function readAnswer(answer: IncomingMessage, maxBytes: number, maxMs: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const timer = setTimeout(() => answer.destroy(new Error("it did not send its answer in time")), maxMs);
  try {
    for await (const chunk of answer as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw new Error("its answer is too long");
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  if (!answer.complete) throw new Error("it broke off in the middle of its answer");
  return Buffer.concat(chunks).toString();
}
