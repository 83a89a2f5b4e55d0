import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it arrived. */
export interface ReceivedWebhook {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

/** How requests are answered. */
export interface ReceiverAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Somebody's own HTTP server on loopback, which takes everything with 204 unless told otherwise. */
export interface WebhookReceiver {
  readonly url: string;
  readonly received: readonly ReceivedWebhook[];
  /** From now on: answer so, never answer (until told otherwise), or hang up. */
  behave(how: ReceiverAnswer | "stall" | "hang-up"): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Starts one on a free port. */
export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const stalled: ServerResponse[] = [];
  let how: ReceiverAnswer | "stall" | "hang-up" = { status: 204 };
  const answer = (response: ServerResponse, { status, headers = {}, body }: ReceiverAnswer) => {
    response.writeHead(status, headers).end(status === 204 ? undefined : (body ?? "x"));
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      received.push({
        path: request.url ?? "",
        headers: request.headers as Record<string, string>,
        body: Buffer.concat(chunks).toString(),
      });
      if (how === "stall") stalled.push(response);
      else if (how === "hang-up") request.socket.destroy();
      else answer(response, how);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    behave(next) {
      how = next;
      if (typeof next === "object") for (const response of stalled.splice(0)) answer(response, next);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
