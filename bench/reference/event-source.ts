import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/**
 * The least that sends the same events to many readers: keeps nothing, asks nobody, and writes to all of them now and then. Begins when it is
 * told to on its standard input, with lines a second and seconds. Prints its port.
 */

const gatherMs = 10;
const sendMs = 100;
const readers = new Set<ServerResponse>();
const server = createServer((_request, response) => {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  readers.add(response);
  response.once("close", () => readers.delete(response));
});
server.listen(0, "127.0.0.1", 4096, () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));

let seq = 0;
let pending = "";

function add(type: "log" | "end", text: string): void {
  seq += 1;
  const event = { type, seq, time: new Date().toISOString(), stream: "stdout", text };
  pending += `id: ${seq}\nevent: ${type}\ndata: ${JSON.stringify(event)}\n\n`;
}

function send(): void {
  const bytes = Buffer.from(pending);
  pending = "";
  if (bytes.length > 0) for (const reader of readers) reader.write(bytes);
}

function begin(rate: number, seconds: number): void {
  const total = rate * seconds;
  const began = performance.now();
  let printed = 0;
  const printing = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - began) * rate) / 1000) + 1);
    let text = "";
    for (; printed < due; printed += 1) text += `${String(printed).padStart(7, "0")} ${"x".repeat(20)}\n`;
    if (text !== "") add("log", text);
    if (printed < total) return;
    clearInterval(printing);
    clearInterval(sending);
    add("end", "");
    send();
    for (const reader of readers) reader.end();
  }, gatherMs);
  const sending = setInterval(send, sendMs);
}

process.stdin.setEncoding("utf8");
process.stdin.once("data", (line: string) => {
  const [rate = 0, seconds = 0] = line.split(" ").map(Number);
  begin(rate, seconds);
});
process.stdin.on("end", () => process.exit(0));
