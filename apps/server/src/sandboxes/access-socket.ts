import type { WebSocket } from "ws";
import type { Hold } from "../access/service.ts";
import { closeWhenEnded } from "../platform/socket.ts";

/** Closes a socket with the access that opened it, and lets go of that when the socket closes. */
export function endWithAccess(socket: WebSocket, hold: Hold): void {
  closeWhenEnded(socket, hold.signal);
  socket.once("close", () => hold.release());
}
