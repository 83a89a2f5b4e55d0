import { request as requestHttp, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { createAddressRules, type AddressRules } from "@syla/sandbox/egress/addresses";
import { createResolve, type Resolve } from "@syla/sandbox/egress/resolve";

const timeoutMs = 10_000;
/** What is kept of an answer's body. */
const headBytes = 1024;
/** Nothing that lets anybody in, and nothing that the other side chose to be long. */
const keptHeaders = ["content-type", "content-length", "date", "server", "retry-after", "x-request-id", "cf-ray"] as const;

/** What the other side answered, as far as it is kept. */
export interface PostAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The beginning of the body, as text. */
  readonly head: string;
  /** Milliseconds to wait before the next try, where the other side says so. */
  readonly retryAfterMs: number | null;
}

/** Sends to addresses of other people's choice. */
export interface Post {
  /** Why an address may not be used; null when it may. Names are looked up. */
  refusal(url: string): Promise<string | null>;
  /** @throws Error that says why there was no answer */
  send(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<PostAnswer>;
}

/** `allowPrivate`: networks that may be reached although they are private. */
export function createPost(allowPrivate: readonly string[], resolve: Resolve = createResolve()): Post {
  const rules = createAddressRules(allowPrivate);
  return {
    async refusal(url) {
      const { hostname, port } = addressOf(url);
      try {
        const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
        return refusalOf(rules, addresses, port);
      } catch {
        return `the name ${hostname} has no address`;
      }
    },
    send: (url, body, headers) => send(url, rules, resolve, body, headers),
  };
}

function addressOf(url: string): { hostname: string; port: number } {
  const { hostname, port, protocol } = new URL(url);
  return { hostname: hostname.replace(/^\[|\]$/g, ""), port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port) };
}

function refusalOf(rules: AddressRules, addresses: readonly string[], port: number): string | null {
  for (const address of addresses) {
    const refusal = rules.refusal(address, port);
    if (refusal !== null) return `${address} is refused: ${refusal}`;
  }
  return null;
}

/** Sends it to an address that was looked up and checked in the same step; redirections are not followed. */
async function send(
  url: string,
  rules: AddressRules,
  resolve: Resolve,
  body: string,
  headers: Readonly<Record<string, string>>,
): Promise<PostAnswer> {
  const { hostname, port } = addressOf(url);
  if (isIP(hostname) !== 0) {
    const refused = refusalOf(rules, [hostname], port);
    if (refused !== null) throw new Error(refused);
  }
  const lookup: LookupFunction = (host, options, callback) => {
    const answer = (addresses: readonly string[]): void => {
      const refused = refusalOf(rules, addresses, port);
      if (refused !== null) return callback(new Error(refused), "", 4);
      const found = addresses.map((address) => ({ address, family: isIP(address) }));
      if (options.all === true) callback(null, found);
      else callback(null, found[0]?.address ?? "", found[0]?.family ?? 4);
    };
    resolve(host).then(answer, (error: Error) => callback(error, "", 4));
  };
  const signal = AbortSignal.timeout(timeoutMs);
  const late = (error: unknown) => (signal.aborted ? new Error("no answer within 10 s") : error);
  const response = await new Promise<IncomingMessage>((settle, reject) => {
    const request = url.startsWith("https:") ? requestHttps : requestHttp;
    const outgoing = request(url, {
      method: "POST",
      agent: false,
      lookup,
      signal,
      headers: { ...headers, "content-length": Buffer.byteLength(body) },
    });
    outgoing.once("response", settle);
    outgoing.once("error", (error) => reject(late(error)));
    outgoing.end(body);
  });
  const head = await readHead(response);
  return { status: response.statusCode ?? 0, headers: kept(response.headers), head, retryAfterMs: retryAfter(response.headers) };
}

/** The status has been said already: whatever becomes of the body changes nothing of it. */
async function readHead(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      size += chunk.length;
      if (size >= headBytes) break;
    }
  } catch {
    // cut off
  }
  response.destroy();
  return withoutSecrets(Buffer.concat(chunks).subarray(0, headBytes).toString("utf8").replaceAll("\0", "\u{fffd}").toWellFormed());
}

/** An other side that answers with what it was configured with tells it to whoever reads the log. */
function withoutSecrets(text: string): string {
  return text
    .replaceAll(/\b(whsec_|syla_[a-z]+_)[\w+/=-]{8,}/g, "$1[redacted]")
    .replaceAll(/\b(Bearer|Basic) +[\w.~+/=-]{8,}/gi, "$1 [redacted]");
}

function kept(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    keptHeaders.flatMap((name) => {
      const value = headers[name];
      return typeof value === "string" ? [[name, withoutSecrets(value.slice(0, 200))]] : [];
    }),
  );
}

/** Source: RFC 9110, section 10.2.3: seconds, or a date. */
function retryAfter({ "retry-after": value }: IncomingHttpHeaders): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value.trim())) return Number(value) * 1000;
  const at = Date.parse(value);
  return Number.isNaN(at) ? null : Math.max(0, at - Date.now());
}
