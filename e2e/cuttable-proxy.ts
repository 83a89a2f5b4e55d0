/** A TCP proxy whose connections can be cut or left hanging, as networks and sleeping machines do. */
import { connect, createServer, type Socket } from "node:net";

export interface CuttableProxy {
  readonly url: string;
  /** Ends every connection now. */
  cut(): void;
  /** No new connection is let through until `restore`. */
  refuse(): void;
  /**
   * Connections that are busy stay open, and nothing comes through them any more; new ones work. Idle ones are closed: browsers
   * drop those themselves when a machine wakes.
   */
  hang(): void;
  restore(): void;
  close(): Promise<void>;
}

const busyMs = 300;

/** Starts a proxy on loopback in front of a server. */
export async function startCuttableProxy(target: string): Promise<CuttableProxy> {
  const { hostname, port } = new URL(target);
  const pairs = new Map<readonly [Socket, Socket], number>();
  let refusing = false;
  const server = createServer((client) => {
    if (refusing) return void client.destroy();
    const upstream = connect(Number(port), hostname);
    const pair = [client, upstream] as const;
    pairs.set(pair, Date.now());
    upstream.on("data", () => pairs.set(pair, Date.now()));
    const end = () => {
      pairs.delete(pair);
      client.destroy();
      upstream.destroy();
    };
    for (const socket of pair) socket.on("error", end).on("close", end);
    client.pipe(upstream).pipe(client);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const cut = () => {
    for (const [client] of pairs.keys()) client.destroy();
  };
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}`,
    cut,
    refuse: () => void (refusing = true),
    hang() {
      for (const [[client, upstream], lastBusy] of pairs) {
        if (Date.now() - lastBusy > busyMs) client.destroy();
        client.unpipe(upstream);
        upstream.unpipe(client);
        upstream.pause();
      }
    },
    restore: () => void (refusing = false),
    async close() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
