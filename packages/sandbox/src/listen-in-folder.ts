import { chmodSync, chownSync, closeSync, openSync } from "node:fs";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** Unix sockets by their names in a folder. The paths go through descriptors: socket addresses hold 107 bytes, data directories more. */

/** Listens for the host user `uid` alone (null: the server's own). */
export function listenInFolder(
  folder: string,
  name: string,
  uid: number | null,
  accept: (socket: Socket) => void,
  options: { readonly allowHalfOpen?: boolean } = {},
): Server {
  const server = createServer(options, accept);
  server.on("error", () => {});
  throughDescriptor(folder, (place) => server.listen(`${place}/${name}`));
  const path = join(folder, name);
  if (uid === null) chmodSync(path, 0o600);
  else chownSync(path, uid, uid);
  return server;
}

/** A connection to whoever listens there; each of its ends can end by itself. */
export function connectInFolder(folder: string, name: string): Socket {
  return throughDescriptor(folder, (place) => connect({ path: `${place}/${name}`, allowHalfOpen: true }));
}

function throughDescriptor<T>(folder: string, use: (place: string) => T): T {
  const descriptor = openSync(folder, "r");
  try {
    return use(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}
