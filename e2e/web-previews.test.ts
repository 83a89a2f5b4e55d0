import { createSandbox, waitForPort } from "@syla/testkit/sandboxes";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { noBrowser, startWebTest, type WebTest } from "./browser.ts";

let web: WebTest;
let id: string;

/** A page of a program, and a WebSocket that says what it hears. */
const site = `
import base64, hashlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("Upgrade"):
            key = (self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()
            self.send_response(101)
            self.send_header("Upgrade", "websocket")
            self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode())
            self.end_headers()
            self.wfile.write(b"\\x81\\x05hello")
            self.rfile.read(1)
            return
        body = ("<!doctype html><title>inside</title><h1>cookies: " + str(self.headers.get("Cookie")) + "</h1>").encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Set-Cookie", "syla.session_token=planted; Path=/")
        self.end_headers()
        self.wfile.write(body)

ThreadingHTTPServer(("127.0.0.1", 8000), Handler).serve_forever()
`;

// Without a browser there is nothing to look with; `npm test` says how to install one.
describe.skipIf(noBrowser)("a preview in a browser", () => {
  beforeAll(async () => {
    web = await startWebTest();
    ({ id } = await createSandbox(web.server, { name: "site", files: [{ path: "site.py", content: site }] }));
    await web.server.send("POST", `/api/v1/sandboxes/${id}/processes`, { command: ["python3", "site.py"] });
    await waitForPort(web.server, id, 8000);
  });
  afterAll(async () => {
    await web?.[Symbol.asyncDispose]();
  });

  async function openPort(): Promise<{ page: Page; tab: Page }> {
    const page = await web.openPage(`/sandboxes/${id}?tab=activity`);
    const [tab] = await Promise.all([page.context().waitForEvent("page"), page.getByRole("button", { name: "Open port 8000" }).click()]);
    await tab.waitForURL(/^http:\/\/8000-[0-9a-f]{32}\.localhost:\d+\/$/);
    return { page, tab };
  }

  it("is opened from the sandbox's page, without the person's cookies and without a way back", async () => {
    const { page, tab } = await openPort();
    await tab.getByRole("heading", { name: "cookies: None" }).waitFor();
    expect(await tab.evaluate("window.opener")).toBeNull();
    await page.context().grantPermissions(["clipboard-read", "clipboard-write"], { origin: web.server.url });
    await page.getByRole("button", { name: "Copy link to port 8000" }).click();
    await page.getByText("Copied").waitFor();
    expect(await page.evaluate("navigator.clipboard.readText()")).toBe(tab.url());
    await page.reload();
    await page.getByRole("button", { name: "Open port 8000" }).waitFor(); // still signed in
    expect(web.problems).toEqual([]);
  });

  it("has its WebSockets", async () => {
    const { tab } = await openPort();
    const hear = `new Promise((resolve) => { new WebSocket(location.origin.replace("http", "ws")).onmessage = ({ data }) => resolve(data); })`;
    expect(await tab.evaluate(hear)).toBe("hello");
  });

  it("cannot reach the product as the person who looks at it", async () => {
    const { tab } = await openPort();
    const api = `${web.server.url}/api/v1/sandboxes`;
    const attempt = (code: string) => tab.evaluate(`(${code})().then((answer) => String(answer), (error) => "refused: " + error.message)`);
    expect(await attempt(`() => fetch("${api}", { credentials: "include" }).then((answer) => answer.text())`)).toMatch(/^refused/);
    expect(await attempt(`() => fetch("${api}", { method: "POST", body: "{}", credentials: "include" })`)).toMatch(/^refused/);
    const socket = `() => new Promise((resolve, reject) => {
      const socket = new WebSocket("${api.replace("http", "ws")}/${id}/ports/8000/connection");
      socket.onopen = () => resolve("open"); socket.onerror = () => reject(new Error("closed"));
    })`;
    expect(await attempt(socket)).toBe("refused: closed");
    const own = (await (await web.server.fetch("/api/v1/sandboxes")).json()) as { items: unknown[] };
    expect(own.items).toHaveLength(1);
  });
});
