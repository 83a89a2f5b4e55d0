import { Agent, request } from "node:http";

/** Where to send executions, and how to tell that one came out right. */
export interface Target {
  readonly name: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The request for the text that the program is to print. No two are the same, so that nothing can be answered from memory. */
  readonly body: (text: string) => string;
}

/** The part of a target that a request goes to. */
export type Address = Pick<Target, "port" | "path" | "headers">;

const keepAlive = new Agent({ keepAlive: true, maxSockets: 256 });

let sent = 0;

/** One request; its duration in milliseconds. Throws when the answer is not the right one. */
export async function send(target: Target): Promise<number> {
  const text = `hello ${(sent += 1)}`;
  const began = performance.now();
  const { status, body } = await post(target, target.body(text));
  if (status !== 200 || !body.includes(`"${text}\\n"`)) throw new Error(`${target.name} answered ${status}: ${body.slice(0, 500)}`);
  return performance.now() - began;
}

/** One request, whatever comes. */
export function post(target: Address, text: string): Promise<{ status: number; body: string; retryAfter: string | undefined }> {
  return new Promise((resolve, reject) => {
    const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(text), ...target.headers };
    const outgoing = request(
      { host: "127.0.0.1", port: target.port, path: target.path, method: "POST", agent: keepAlive, headers },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString(), retryAfter: response.headers["retry-after"] }),
        );
      },
    );
    outgoing.on("error", reject);
    outgoing.end(text);
  });
}

/** The value below which a share of the samples lies. */
export function percentile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** Durations of `count` requests by `clients` at once, and how many ended each second. */
export async function load(target: Target, clients: number, count: number): Promise<{ samples: number[]; perSecond: number }> {
  const samples: number[] = [];
  let left = count;
  const began = performance.now();
  const client = async () => {
    while (left-- > 0) samples.push(await send(target));
  };
  await Promise.all(Array.from({ length: clients }, client));
  return { samples, perSecond: (samples.length * 1000) / (performance.now() - began) };
}

/** How many of `count` calls by `clients` at once ended each second. */
export async function loadWith(clients: number, count: number, call: () => Promise<void>): Promise<number> {
  let left = count;
  const began = performance.now();
  const client = async () => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: clients }, client));
  return (count * 1000) / (performance.now() - began);
}

/** Reads something; throws when it is not there. */
export function get({ port, path, headers }: Address): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ host: "127.0.0.1", port, path, agent: keepAlive, headers }, (response) => {
      response.resume();
      response.on("end", () => (response.statusCode === 200 ? resolve() : reject(new Error(`${path} answered ${response.statusCode}`))));
    });
    outgoing.on("error", reject);
    outgoing.end();
  });
}
