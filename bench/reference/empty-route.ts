import { hash, timingSafeEqual } from "node:crypto";
import { route } from "@syla/contracts/route";
import { RunInput, runRoutes } from "@syla/contracts/runs";
import { createHttp } from "@syla/server/platform/http";
import { createLogger } from "@syla/server/platform/logger";
import { z } from "zod";

/**
 * The HTTP border of our server with one route: it reads and validates what a submission is, knows who asks, and does nothing. The first
 * argument is the key. Prints its port.
 */

const digest = (text: string) => hash("sha256", text, "buffer");
const key = digest(`Bearer ${process.argv[2] ?? ""}`);
const http = createHttp<{ userId: string }>({
  logger: createLogger("warn"),
  basePath: "",
  publicUrl: undefined,
  trustProxy: false,
  bodyLimit: 1024 * 1024,
  authenticate: async ({ headers }) => (timingSafeEqual(digest(headers.authorization ?? ""), key) ? { userId: "user" } : null),
  isDraining: () => false,
});
const { query, headers } = runRoutes.createExecution;
const empty = route({
  method: "POST",
  path: "/api/v1/empty",
  summary: "Do nothing",
  tag: "bench",
  auth: "user",
  query,
  headers,
  body: RunInput,
  responses: { 200: z.object({ ok: z.boolean() }) },
  errors: [],
});
http.bind(empty, () => ({ ok: true }));
process.stdout.write(`${await http.listen("127.0.0.1", 0)}\n`);
process.stdin.on("end", () => process.exit(0)).resume();
