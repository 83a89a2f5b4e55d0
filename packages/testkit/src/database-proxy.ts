import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { Transform } from "node:stream";
import type { PostgresAddress } from "@syla/server/platform/postgres";

/** A way to a database that takes as long as it is told, in both directions. */
export interface DatabaseProxy extends AsyncDisposable {
  /** As `DATABASE_URL` takes it. */
  readonly url: string;
  /** From now on. */
  delay(ms: number): void;
}

/** Listens on loopback in front of a PostgreSQL on a Unix socket. */
export async function startDatabaseProxy({ host, port, user, password, database }: PostgresAddress): Promise<DatabaseProxy> {
  let delayMs = 0;
  const sockets = new Set<Socket>();
  const late = () =>
    new Transform({ transform: (chunk, _encoding, done) => void setTimeout(() => done(null, chunk), delayMs) }).on("error", () => {});
  const server = createServer((client) => {
    const upstream = connect(join(host, `.s.PGSQL.${port}`));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .on("close", () => {
          sockets.delete(socket);
          client.destroy();
          upstream.destroy();
        });
    }
    client.pipe(late()).pipe(upstream);
    upstream.pipe(late()).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${own}/${database}`,
    delay: (ms) => void (delayMs = ms),
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
