import type { WebSocket } from "ws";
import type { Hold } from "../access/service.ts";

/** Closing codes above 4000 are ours: the access has ended that the socket rests on. */
const accessEnded = 4003;

/** Closes a socket with the access that opened it. */
export function endWithAccess(socket: WebSocket, hold: Hold): void {
  const end = () => socket.close(accessEnded, "access_ended");
  if (hold.signal.aborted) end();
  hold.signal.addEventListener("abort", end, { once: true });
  socket.on("close", () => {
    hold.signal.removeEventListener("abort", end);
    hold.release();
  });
}
