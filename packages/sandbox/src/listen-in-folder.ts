import { chmodSync, chownSync, closeSync, openSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/**
 * Listens on a unix socket in a folder, for the host user `uid` alone (null: the server's own). The path goes through a descriptor: socket
 * addresses hold 107 bytes, data directories more.
 */
export function listenInFolder(
  folder: string,
  name: string,
  uid: number | null,
  accept: (socket: Socket) => void,
  options: { readonly allowHalfOpen?: boolean } = {},
): Server {
  const server = createServer(options, accept);
  server.on("error", () => {});
  const descriptor = openSync(folder, "r");
  server.listen(`/proc/self/fd/${descriptor}/${name}`);
  closeSync(descriptor);
  const path = join(folder, name);
  if (uid === null) chmodSync(path, 0o600);
  else chownSync(path, uid, uid);
  return server;
}
