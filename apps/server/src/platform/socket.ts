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
