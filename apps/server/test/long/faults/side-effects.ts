import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** What programs do to the world outside of their sandboxes: it cannot be undone, and it is counted. */
export interface SideEffects extends AsyncDisposable {
  /** Where programs report to. Not 127.0.0.1, which programs take for themselves. */
  readonly address: string;
  /** How often a program of this token said so. */
  count(what: "began" | "done", token: string): number;
}

/** Listens for `GET /began/TOKEN` and `GET /done/TOKEN`. */
export async function countSideEffects(): Promise<SideEffects> {
  const counts = new Map<string, number>();
  const server = createServer((request, response) => {
    const path = request.url ?? "";
    counts.set(path, (counts.get(path) ?? 0) + 1);
    response.end("noted");
  }).listen(0, "127.0.0.2");
  await once(server, "listening");
  return {
    address: `127.0.0.2:${(server.address() as AddressInfo).port}`,
    count: (what, token) => counts.get(`/${what}/${token}`) ?? 0,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
