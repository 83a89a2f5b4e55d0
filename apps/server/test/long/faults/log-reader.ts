import { setTimeout as sleep } from "node:timers/promises";
import { readEvents } from "@syla/testkit/runs";
import type { Installation, Node } from "./installation.ts";

/** What somebody has read of a run who comes back, to any server, whenever the connection breaks. */
export interface Reading {
  /** What was shown of its output. */
  text: string;
  lastSeq: number;
  readonly problems: string[];
  isEnded: boolean;
  connections: number;
}

/** Follows a run to its end, beginning with the server that is said to have it, and tells what was lost or doubled. */
export async function readToTheEnd(installation: Installation, first: Node, id: string, signal: AbortSignal): Promise<Reading> {
  const reading: Reading = { text: "", lastSeq: 0, problems: [], isEnded: false, connections: 0 };
  const nodes = [first, ...installation.nodes.filter((node) => node !== first && node.isAsked)];
  for (let turn = 0; !reading.isEnded && !signal.aborted; turn += 1) {
    const node = nodes[turn % nodes.length] ?? first;
    await read(installation, node, id, reading, signal).catch(() => {}); // it comes back
    if (!reading.isEnded) await sleep(50);
  }
  return reading;
}

async function read(installation: Installation, node: Node, id: string, reading: Reading, signal: AbortSignal): Promise<void> {
  const headers = reading.lastSeq === 0 ? {} : { "last-event-id": String(reading.lastSeq) };
  const response = await installation.call(node, "GET", `/api/v1/runs/${id}/events`, { headers, signal });
  if (response.status !== 200 || response.body === null) return;
  reading.connections += 1;
  for await (const event of readEvents(response.body)) {
    if (event.seq !== reading.lastSeq + 1) reading.problems.push(`event ${event.seq} came after ${reading.lastSeq}`);
    reading.lastSeq = event.seq;
    if (event.type === "log" && event.stream === "stdout") reading.text += event.text;
    if (event.type === "end") reading.isEnded = true;
  }
}
