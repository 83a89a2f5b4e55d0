import { isIP, type Socket } from "node:net";
import { readChunk, withDeadline } from "../read-bytes.ts";
import { readFirstBytes, type FirstBytes } from "./client-hello.ts";
import { connectOut, type Outbound, type OutboundContext } from "./outbound.ts";
import { formatTarget, type Target } from "./target.ts";

const tlsPort = 443;

/**
 * Joins a program's connection with the outside. `accept` answers the program once the other side is there. A program that speaks TLS has
 * to name the host that it asked for: else a name that is allowed would open the way to every other one behind the same address.
 *
 * @throws RefusedError, UnreachableError before `accept`
 */
export async function openTunnel(context: OutboundContext, client: Socket, target: Target, accept: () => void): Promise<void> {
  const outbound = await connectOut(context, target);
  if (client.destroyed) return outbound.end("cut", "the program closed it");
  accept();
  client.once("close", () => closeAfter(client, outbound));
  outbound.socket.once("close", () => (outbound.socket.readableEnded ? client.end() : client.destroy()));
  // Where the server speaks first, it may: what it says depends on nothing that the program sent.
  if (target.port !== tlsPort) outbound.socket.pipe(client);
  const wait = target.port === tlsPort ? context.times.helloMs : context.times.idleMs;
  const { bytes, first } = await withDeadline(client, wait, readOpening(client));
  const problem = first === null ? null : findProblem(first, target, context.policy.isFull);
  if (problem !== null) {
    outbound.end("refused", problem);
    return void client.destroy();
  }
  if (target.port === tlsPort) outbound.socket.pipe(client);
  if (bytes.length > 0) outbound.socket.write(bytes);
  client.once("end", () => outbound.expectEnd());
  client.pipe(outbound.socket);
}

/** The program is gone. What it had still sent may arrive; nobody waits for more. */
function closeAfter(client: Socket, outbound: Outbound): void {
  if (client.readableEnded && outbound.socket.readableEnded) return; // both said their last word
  outbound.end(client.readableEnded ? "completed" : "cut", client.readableEnded ? null : "the program closed it");
}

/** The first bytes, as many as it takes to tell what they are. `first` null: the program sent none. */
async function readOpening(client: Socket): Promise<{ bytes: Buffer; first: FirstBytes | null }> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    const chunk = await readChunk(client);
    if (chunk === null) return { bytes, first: bytes.length === 0 ? null : { kind: "malformed" } };
    bytes = Buffer.concat([bytes, chunk]);
    const first = readFirstBytes(bytes);
    if (first.kind !== "incomplete") return { bytes, first };
  }
}

function findProblem(first: FirstBytes, target: Target, isFull: boolean): string | null {
  if (first.kind === "not-tls") return target.port === tlsPort ? "what was sent to port 443 is not TLS" : null;
  if (first.kind !== "hello") return "what was sent looks like TLS and is not";
  // Behind the name that is shown, an encrypted hello may carry another one.
  if (first.encrypted && !isFull) return "it hides the name of the server (encrypted client hello)";
  if (first.name === target.host) return null;
  if (first.name === null) return isIP(target.host) === 0 ? `the TLS connection to ${formatTarget(target)} does not name a server` : null;
  return `the TLS connection names ${JSON.stringify(first.name)} instead of ${JSON.stringify(target.host)}`;
}
