import { waitForPort } from "@syla/testkit/sandboxes";
import type { TestServer } from "@syla/testkit/server";

/** A program with a web page, for a sandbox with Node.js. */
const site = String.raw`
const { createServer } = require("node:http");
const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://x");
  if (pathname === "/headers") return response.end(JSON.stringify({ method: request.method, url: request.url, headers: request.headers }));
  if (pathname === "/count") {
    let bytes = 0;
    for await (const chunk of request) bytes += chunk.length;
    return response.end(String(bytes));
  }
  if (pathname === "/bytes") {
    const chunk = Buffer.alloc(65536, "x");
    for (let left = Number(searchParams.get("n")); left > 0 && !response.destroyed; left -= chunk.length)
      if (!response.write(chunk.subarray(0, left))) await new Promise((go) => response.once("drain", go).once("close", go));
    return response.end();
  }
  if (pathname === "/forever") { response.write("begun"); return; }
  if (pathname === "/events") {
    response.setHeader("content-type", "text/event-stream");
    response.write("data: 1\n\n");
    request.on("close", () => {});
    return void (server.more = () => response.end("data: 2\n\n"));
  }
  if (pathname === "/more") { server.more(); return response.end("told"); }
  if (pathname === "/hostile") {
    response.setHeader("set-cookie", ["syla.session_token=evil; Path=/", "__Secure-syla.x=1", "own=1; Domain=localhost; Path=/"]);
    response.setHeader("clear-site-data", '"*"');
    response.setHeader("strict-transport-security", "max-age=1");
    response.setHeader("service-worker-allowed", "/");
    response.setHeader("connection", "close, x-secret");
    response.setHeader("x-secret", "1");
    return response.end("ok");
  }
  if (pathname === "/nonsense") return void request.socket.end("SSH-2.0-x\r\n");
  response.end("hello from inside");
});
server.on("upgrade", (request, socket, head) => {
  if (request.url === "/no") return socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno");
  socket.write("HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n\r\nwelcome ");
  socket.write(head);
  socket.pipe(socket);
});
server.listen(8000, "127.0.0.1", () => console.log("ready"));
`;

/** Starts it and waits until it listens on 8000. */
export async function startSite(server: TestServer, id: string, person: Record<string, string>): Promise<void> {
  const path = `/api/v1/sandboxes/${id}`;
  await server.fetch(`${path}/file/content?path=site.cjs`, {
    method: "POST",
    headers: { ...person, "content-type": "application/octet-stream" },
    body: site,
  });
  await server.send("POST", `${path}/processes`, { command: ["node", "site.cjs"] }, person);
  await waitForPort(server, id, 8000, person);
}
