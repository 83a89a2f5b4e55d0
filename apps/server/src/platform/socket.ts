import type { WebSocket } from "ws";

/** A caller that is gone gets no answer: this is asked for so often, milliseconds. */
const pingMs = 20_000;

/** Ends a socket whose caller does not answer any more. */
export function keepAlive(socket: WebSocket): void {
  let answered = true;
  const ping = setInterval(() => {
    if (!answered) return socket.terminate();
    answered = false;
    socket.ping();
  }, pingMs);
  socket.on("pong", () => (answered = true));
  socket.on("error", () => socket.terminate());
  socket.on("close", () => clearInterval(ping));
}

/** Closing codes above 4000 are ours: the access has ended that the socket rests on. */
const accessEnded = 4003;

/** Closes a socket with the access that opened it. */
export function closeWhenEnded(socket: WebSocket, signal: AbortSignal): void {
  const end = () => socket.close(accessEnded, "access_ended");
  if (signal.aborted) return end();
  signal.addEventListener("abort", end, { once: true });
  socket.once("close", () => signal.removeEventListener("abort", end));
}

/** Resolves when the socket has taken the message, or is gone. */
export function sendMessage(socket: WebSocket, data: Buffer | string): Promise<void> {
  return new Promise((resolve) => socket.send(data, () => resolve()));
}

/** Undefined for what is not JSON: no schema takes that. */
export function parseMessage(message: Buffer): unknown {
  try {
    return JSON.parse(message.toString());
  } catch {
    return undefined;
  }
}
