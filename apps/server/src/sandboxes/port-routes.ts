import type { Socket } from "node:net";
import { PortMessage, sandboxPortRoutes } from "@syla/contracts/sandboxes/ports";
import type { WebSocket } from "ws";
import type { Http } from "../access/http.ts";
import type { LongLivedSandboxes } from "./long-lived.ts";
import { keepAlive, parseMessage, sendMessage } from "../platform/socket.ts";
import { endWithAccess } from "./access-socket.ts";

const endMessage = '{"end":true}';

/** Binds raw connections to ports, for debuggers and databases. */
export function registerPortRoutes(http: Http, sandboxes: LongLivedSandboxes): void {
  http.bindSocket(sandboxPortRoutes.openPort, async ({ params, query }, call) => {
    return await sandboxes.openHeld(call.actor, params.id, call.signal, async (live, hold) => {
      const inside = await live.connect(params.port); // a port that nobody listens on is refused before the socket opens
      inside.pause();
      hold.signal.addEventListener("abort", () => inside.destroy(), { once: true });
      return (socket: WebSocket) => {
        endWithAccess(socket, hold);
        return join(socket, inside, query.window ?? Number.POSITIVE_INFINITY);
      };
    });
  });
}

/** Joins a WebSocket and a connection: bytes both ways, no faster than the slower one, and the end of each way by itself. */
async function join(socket: WebSocket, inside: Socket, window: number): Promise<void> {
  const room = new Room(window);
  keepAlive(socket);
  socket.on("close", () => {
    room.add(Number.POSITIVE_INFINITY);
    inside.destroy();
  });
  socket.on("message", (message, isBinary) => receive(socket, inside, room, message as Buffer, isBinary));
  inside.on("close", () => socket.close(inside.errored === null && inside.readableEnded ? 1000 : 1011));
  try {
    for await (const bytes of inside.iterator({ destroyOnReturn: false })) {
      await room.take((bytes as Buffer).length);
      await sendMessage(socket, bytes as Buffer);
    }
    await sendMessage(socket, endMessage);
  } catch {
    inside.destroy();
  }
}

function receive(socket: WebSocket, inside: Socket, room: Room, message: Buffer, isBinary: boolean): void {
  if (!isBinary) {
    const said = PortMessage.safeParse(parseMessage(message));
    if (!said.success) socket.close(1007, "invalid_request");
    else if ("took" in said.data) room.add(said.data.took);
    else inside.end();
  } else if (inside.writable && !inside.write(message)) {
    socket.pause();
    inside.once("drain", () => socket.resume());
  }
}

/** How many bytes may still be sent. */
class Room {
  #bytes: number;
  #wake = (): void => undefined;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    this.#wake();
  }

  /** Waits until there is any; the last piece may be larger. */
  async take(bytes: number): Promise<void> {
    while (this.#bytes <= 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    this.#bytes -= bytes;
  }
}
