import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type RequestListener } from "node:http";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

/** The world outside of sandboxes, on loopback: servers that tests let runs reach. */
export interface Outside extends AsyncDisposable {
  readonly port: number;
  /** Connections that ever arrived. */
  readonly sockets: Socket[];
}

/** A server that does `serve` with every connection. */
export async function listenRaw(serve: (socket: Socket) => void, host = "127.0.0.1", port = 0): Promise<Outside> {
  return await started(createServer({ allowHalfOpen: true }, serve), host, port);
}

export async function listenHttp(serve: RequestListener): Promise<Outside> {
  return await started(createHttpServer(serve), "127.0.0.1", 0);
}

/** A TLS server with a certificate of its own making, for `names`. */
export async function listenTls(names: readonly string[], serve: (socket: Socket) => void, host = "127.0.0.1", port = 0) {
  const folder = mkdtempSync(join(tmpdir(), "syla-certificate-"));
  const [key, cert] = [join(folder, "key.pem"), join(folder, "cert.pem")];
  const subject = ["-subj", `/CN=${names[0] ?? "test"}`, "-addext", `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}`];
  const kind = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  execFileSync("openssl", [...kind, "-keyout", key, "-out", cert, ...subject], { stdio: "ignore" });
  const certificate = readFileSync(cert, "utf8");
  const server = createTlsServer({ key: readFileSync(key), cert: certificate }, serve);
  server.on("tlsClientError", () => {});
  rmSync(folder, { recursive: true });
  return { ...(await started(server, host, port)), certificate };
}

async function started(server: Server, host: string, port: number): Promise<Outside> {
  const sockets: Socket[] = [];
  server.on("connection", (socket: Socket) => {
    sockets.push(socket);
    socket.on("error", () => {});
  });
  server.listen(port, host);
  await once(server, "listening"); // rejects when it may not listen there
  const dispose = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port: (server.address() as AddressInfo).port, sockets, [Symbol.asyncDispose]: dispose };
}

/** Python functions that programs of these tests begin with. */
export const pythonClient = String.raw`
import hashlib, os, socket, struct, sys, threading, time
def relay():
    return socket.create_connection(("127.0.0.1", 3128), 30)
def tunnel(host, port, text=None):
    """A CONNECT tunnel, or RuntimeError with the whole answer."""
    sock = relay()
    sock.sendall((text or f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n").encode("latin1"))
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(1)
        if not data: break
        head += data
    if b" 200 " not in head.split(b"\r\n")[0]:
        while data := sock.recv(65536): head += data
        raise RuntimeError(head.decode())
    return sock
def socks(host, port, address=None):
    """A SOCKS5 connection; address: the raw one, type and all."""
    sock = relay()
    sock.sendall(b"\x05\x01\x00")
    assert sock.recv(2) == b"\x05\x00"
    name = host.encode()
    sock.sendall(b"\x05\x01\x00" + (address or b"\x03" + bytes([len(name)]) + name) + struct.pack(">H", port))
    reply = sock.recv(10)
    if len(reply) < 2 or reply[1] != 0: raise RuntimeError(f"socks {reply!r}")
    return sock
def read_all(sock):
    parts = []
    while data := sock.recv(1 << 16): parts.append(data)
    return b"".join(parts)
`;
