import { once } from "node:events";
import type { Socket } from "node:net";

const endMessage = '{"end":true}';
/** Bytes that may wait in the WebSocket before more is read from this side. */
const maxBuffered = 1 << 20;
const bufferedMs = 5;

/**
 * Joins a paused connection of this machine and the WebSocket of one in a sandbox: bytes both ways, the end of each way by itself.
 * Resolves when both ways have ended, rejects when the connection was refused or lost.
 */
export async function joinConnection(remote: WebSocket, local: Socket): Promise<void> {
  remote.binaryType = "arraybuffer";
  const over = Promise.withResolvers<void>();
  let received = Promise.resolve();
  let opened = false;
  local.on("error", () => local.destroy());
  local.once("close", () => remote.close());
  remote.addEventListener("error", () => over.reject(new Error("the connection was lost")));
  const receive = async (before: Promise<void>, data: unknown) => {
    await before;
    await deliver(local, data);
    if (typeof data !== "string" && remote.readyState === WebSocket.OPEN)
      remote.send(JSON.stringify({ took: (data as ArrayBuffer).byteLength }));
  };
  remote.addEventListener("message", ({ data }: { readonly data: unknown }) => {
    received = receive(received, data);
  });
  remote.addEventListener("close", ({ code }) => {
    void received.then(() => (code === 1000 ? local.end() : local.destroy()));
    if (opened && (code === 1000 || local.destroyed)) over.resolve();
    else over.reject(new Error("the connection was lost"));
  });
  remote.addEventListener("open", () => {
    opened = true;
    void sendAll(local, remote);
  });
  await over.promise;
}

async function deliver(local: Socket, data: unknown): Promise<void> {
  if (local.destroyed) return;
  if (typeof data === "string") local.end();
  else if (!local.write(new Uint8Array(data as ArrayBuffer)))
    await Promise.race([once(local, "drain"), once(local, "close")]).catch(() => {});
}

async function sendAll(local: Socket, remote: WebSocket): Promise<void> {
  try {
    for await (const bytes of local.iterator({ destroyOnReturn: false })) {
      remote.send(bytes as Uint8Array<ArrayBuffer>);
      // A WebSocket of the platform does not say when it has room again.
      while (remote.bufferedAmount > maxBuffered && !local.destroyed) await new Promise((resolve) => setTimeout(resolve, bufferedMs));
    }
    remote.send(endMessage);
  } catch {
    local.destroy();
  }
}
