import type { Hocuspocus } from "@hocuspocus/server";
import type { WebSocket } from "ws";
import { keepAlive } from "../platform/socket.ts";
import type { Member } from "./member.ts";
import { readFrame } from "./frames.ts";

/** What one connection may have sent that is not done yet. */
const mostBufferedBytes = 8 * 1024 * 1024;
/** What one connection may have been sent that it has not read. */
const mostUnreadBytes = 16 * 1024 * 1024;
/** Closing codes above 4000 are ours. */
const tooFast = 4008;

/** The sockets of those who have something open. */
export class LiveSockets {
  readonly #open = new Set<WebSocket>();
  /** What each has sent that is not done yet, bytes. */
  readonly #sent = new WeakMap<object, number>();

  /** Lets somebody speak to the server of documents, as far as they speak its protocol. */
  serve(socket: WebSocket, server: Hocuspocus<Member>, member: Member): void {
    keepAlive(socket);
    this.#open.add(socket);
    const client = server.handleConnection(socket, new Request("http://live/"), member);
    socket.on("message", (data, isBinary) => {
      const bytes = data as Buffer;
      const frame = isBinary ? readFrame(bytes) : null;
      if (frame === null) return socket.close(1007, "invalid_request");
      if (frame.isCounted && this.count(socket, bytes.length) > mostBufferedBytes) return socket.close(tooFast, "too_fast");
      client.handleMessage(bytes);
    });
    socket.on("close", (code, reason) => {
      this.#open.delete(socket);
      client.handleClose({ code, reason: reason.toString() });
    });
  }

  /** Who sends faster than it can be kept waits; who does not wait is cut off. @returns what a socket has sent that is not done yet, bytes */
  count(socket: object, bytes: number): number {
    const sum = Math.max(0, (this.#sent.get(socket) ?? 0) + bytes);
    this.#sent.set(socket, sum);
    return sum;
  }

  /** Who does not read what comes is cut off, and gets what is there then when they come again. */
  cutSlow(): void {
    for (const socket of this.#open) if (socket.bufferedAmount > mostUnreadBytes) socket.terminate();
  }

  /** The server ends: they come again. */
  close(): void {
    for (const socket of this.#open) socket.close(1012, "try_again");
  }
}
