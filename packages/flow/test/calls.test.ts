import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, test } from "vitest";

const folder = join(import.meta.dirname, "../src/told");

/** As much of httpx as is changed: what a request is, and who sends it. */
const httpx = `import http.client


class URL:
    def __init__(self, host, port, path):
        self.host, self.port, self.path = host, port, path


class Request:
    def __init__(self, host, port, path):
        self.url, self.headers = URL(host, port, path), {}


def fetch(request):
    connection = http.client.HTTPConnection(request.url.host, request.url.port)
    # As it is, and not as the standard library would send it.
    head = "".join(f"{name}: {value}\\r\\n" for name, value in request.headers.items())
    connection.connect()
    connection.sock.sendall(f"GET {request.url.path} HTTP/1.1\\r\\nHost: x\\r\\n{head}Connection: close\\r\\n\\r\\n".encode())
    while connection.sock.recv(1000):
        pass
    connection.close()


class Client:
    def send(self, request, *, stream=False):
        fetch(request)


class AsyncClient:
    async def send(self, request, *, stream=False):
        fetch(request)
`;

/** Runs Python whose calls are followed; answers which node each request names, by its path. */
async function follow(source: string): Promise<{ seen: Record<string, string>; errors: string }> {
  using directory = createTemporaryDirectory();
  for (const name of ["httpx.py", "httpx2.py"]) writeFileSync(join(directory.path, name), httpx);
  const seen: Record<string, string> = {};
  const server = createServer((request, response) => {
    const path = /^\/syla\/v1\/of\/([^/]+)(.*)$/.exec(request.url ?? "");
    seen[path?.[2] ?? request.url ?? ""] = path?.[1] ?? String(request.headers["x-syla-node"] ?? "none");
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}`;
  const code = `
import asyncio, contextvars, os, subprocess, sys, threading, urllib.request
sys.path[:0] = [${JSON.stringify(folder)}, ${JSON.stringify(directory.path)}]
import syla_calls
node = contextvars.ContextVar("node", default=None)
url = "${url}"
syla_calls.follow(url, node.get)
def get(path):
    urllib.request.urlopen(url + path).read()
${source}`;
  try {
    const child = spawn("python3", ["-B", "-c", code], {
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env["PATH"], OPENAI_BASE_URL: `${url}/v1`, OLLAMA_HOST: url, HTTP_PROXY: url, NO_PROXY: "127.0.0.1,localhost" },
    });
    const [, errors] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
    return { seen, errors };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("requests say which node makes them, also beside each other and in threads that asyncio starts", async () => {
  const { seen, errors } = await follow(`
get("/before")
async def ask(name):
    node.set(name)
    await asyncio.sleep(0.01)
    get(f"/{name}")
    await asyncio.to_thread(get, f"/thread-of-{name}")
    own = threading.Thread(target=get, args=[f"/own-of-{name}"])
    own.start()
    own.join()
async def all():
    await asyncio.gather(*(ask(name) for name in ("a", "each[2]/b")))
asyncio.run(all())
get("/after")`);
  expect(errors).toBe("");
  expect(seen).toEqual({
    "/before": "none",
    "/a": "a",
    "/thread-of-a": "a",
    "/own-of-a": "none",
    "/each[2]/b": "each[2]/b",
    "/thread-of-each[2]/b": "each[2]/b",
    "/own-of-each[2]/b": "none",
    "/after": "none",
  });
});

test.each(["httpx", "httpx2"])("those of %s say it, which is imported later, and looked for before", async (name) => {
  const { seen, errors } = await follow(`
import importlib.util
assert importlib.util.find_spec("${name}") is not None
assert importlib.util.find_spec("httpx_of_nobody") is None
import ${name} as httpx
port = int(url.rsplit(":", 1)[1])
node.set("a")
httpx.Client().send(httpx.Request("127.0.0.1", port, "/sync"))
asyncio.run(httpx.AsyncClient().send(httpx.Request("127.0.0.1", port, "/async"), stream=True))
elsewhere = httpx.Request("127.0.0.1", port + 1, "/elsewhere")
try:
    httpx.Client().send(elsewhere)
except OSError:
    pass
assert elsewhere.headers == {}
node.set(None)
httpx.Client().send(httpx.Request("127.0.0.1", port, "/nobody"))`);
  expect(errors).toBe("");
  expect(seen).toEqual({ "/sync": "a", "/async": "a", "/nobody": "none" });
});

test("what goes to other hosts through the proxy says nothing", async () => {
  const { seen, errors } = await follow(`
node.set("a")
urllib.request.urlopen("http://elsewhere.test/there").read()`);
  expect(errors).toBe("");
  expect(seen).toEqual({ "http://elsewhere.test/there": "none" });
});

test("processes of a node get addresses of it, and nothing else of their variables is changed", async () => {
  const { seen, errors } = await follow(`
script = "import os, urllib.request as r; r.urlopen(os.environ['OPENAI_BASE_URL'] + '/' + os.environ.get('NAME', 'given')).read()"
node.set("each[2]/b")
subprocess.run([sys.executable, "-c", script], check=True)
subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "NAME": "own"})
out = subprocess.run(["env"], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()
changed = {line for line in out if not line.startswith("_=")} ^ {f"{name}={value}" for name, value in os.environ.items() if name != "_"}
names = sorted({line.split("=")[0] for line in changed})
assert names == ["OLLAMA_HOST", "OPENAI_BASE_URL"], names
async def later():
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", script, env={**os.environ, "NAME": "async"})
    assert await child.wait() == 0
asyncio.run(later())
node.set(None)
subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ, "NAME": "none"})`);
  expect(errors).toBe("");
  expect(seen).toEqual({ "/v1/given": "each:2.b", "/v1/own": "each:2.b", "/v1/async": "each:2.b", "/v1/none": "none" });
});
