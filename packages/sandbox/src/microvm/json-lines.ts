import type { Socket } from "node:net";

/** Whoever sends more than that without an end of line says nothing sane. */
const mostLineBytes = 1 << 20;

/** Documents that come and go over a socket, one a line. What comes is hostile: a line that is no JSON, or too long, closes the socket. */
export class JsonLines {
  readonly #socket: Socket;
  #pending = "";

  constructor(socket: Socket, receive: (value: unknown) => void) {
    this.#socket = socket;
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    socket.on("data", (text: unknown) => {
      const lines = (this.#pending + String(text)).split("\n");
      this.#pending = lines.pop() ?? "";
      try {
        for (const line of lines) receive(JSON.parse(line));
        if (this.#pending.length > mostLineBytes) socket.destroy();
      } catch {
        socket.destroy();
      }
    });
  }

  send(value: unknown): void {
    if (!this.#socket.destroyed) this.#socket.write(`${JSON.stringify(value)}\n`);
  }
}
