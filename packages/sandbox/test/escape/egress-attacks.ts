import type { NetworkPolicy } from "../../src/egress/policy.ts";
import { outsideAddress, outsideName } from "../network/hostile-names.ts";
import type { Attack } from "./attack.ts";

/**
 * Programs that have a network and want more of it. The outside is a TLS server on an address of its own, which an administrator's
 * exception opens; the host's own port on 127.0.0.1 and everything else private stay closed.
 */

/** The outside on its port, which is known only when it listens (see `policyOf`), and what else. */
const listed = (extra: readonly string[] = []): NetworkPolicy => ({ allow: [`${outsideName}:1`, ...extra] });

/** The policy with the port of the outside in place of 1. */
export function policyOf(policy: NetworkPolicy, outsidePort: number): NetworkPolicy {
  return typeof policy === "string" ? policy : { allow: policy.allow.map((entry) => entry.replace(/:1$/, `:${outsidePort}`)) };
}

/** `via_connect`, `via_http` and `via_socks` reach a host and return what it says, or raise OSError. */
const client = String.raw`
import ssl
def relay():
    sock = socket.create_connection(("127.0.0.1", 3128), 5)
    return sock
def head_of(sock):
    head = b""
    while b"\r\n\r\n" not in head:
        data = sock.recv(1)
        if not data: break
        head += data
    return head
def via_connect(authority, raw=None):
    sock = relay()
    target = authority if isinstance(authority, bytes) else authority.encode()
    sock.sendall(raw or b"CONNECT " + target + b" HTTP/1.1\r\nHost: " + target + b"\r\n\r\n")
    head = head_of(sock)
    if not head.startswith(b"HTTP/1.1 200"): raise OSError(head.split(b"\r\n")[0])
    return sock
def via_http(url, host=b"x", raw=None):
    sock = relay()
    target = url if isinstance(url, bytes) else url.encode()
    sock.sendall(raw or b"GET " + target + b" HTTP/1.1\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
    head = head_of(sock)
    if not head or head.startswith((b"HTTP/1.1 4", b"HTTP/1.1 502")): raise OSError(head.split(b"\r\n")[0])
    return head
def via_socks(host, port, address=None, command=1, greeting=b"\x05\x01\x00"):
    sock = relay()
    sock.sendall(greeting)
    if sock.recv(2) != b"\x05\x00": raise OSError("greeting")
    name = host.encode() if isinstance(host, str) else host
    sock.sendall(bytes([5, command, 0]) + (address or b"\x03" + bytes([len(name)]) + name) + struct.pack(">H", port))
    reply = sock.recv(10)
    if len(reply) < 2 or reply[1] != 0: raise OSError(f"socks {reply!r}")
    return sock
def reach(host, port):
    written = f"[{host}]" if ":" in host else host
    attempt(f"CONNECT {written}:{port}", lambda: via_connect(f"{written}:{port}"))
    attempt(f"GET http://{written}:{port}", lambda: via_http(f"http://{written}:{port}/"))
    attempt(f"SOCKS {host}:{port}", lambda: via_socks(host, port))
def works(name):
    """The way that is allowed is really there: else nothing here would prove anything."""
    with via_socks(name, WORLD["outsidePort"]) as sock:
        context = ssl._create_unverified_context()
        with context.wrap_socket(sock, server_hostname=name) as secure:
            secure.sendall(b"x")
            assert secure.recv(100) == b"outside", "the outside did not answer"
`;

const attack = (name: string, network: NetworkPolicy, code: string, rest: Partial<Attack> = {}): Attack => ({
  name: `with a network: ${name}`,
  network,
  code: client + code,
  ...rest,
});

export const egressAttacks: readonly Attack[] = [
  {
    name: "a proxy where there is none",
    code: `${client}
for port in (3128, 1080, 8080, 3129):
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        attempt(f"{address}:{port}", lambda: socket.socket(family).connect((address, port)))
escaped("variables", [name for name in os.environ if "PROXY" in name.upper()])
escaped("listeners", [line for name in ("tcp", "tcp6") for line in open("/proc/net/" + name).read().splitlines()[1:]])`,
  },
  attack(
    "private addresses in every notation",
    "full",
    String.raw`
port = WORLD["port"]
for host in ("127.0.0.1", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0177.0.0.1", "017700000001", "127.000.000.001",
             "0.0.0.0", "0", "::1", "::", "::ffff:127.0.0.1", "::ffff:7f00:1", "0:0:0:0:0:ffff:7f00:0001", "::127.0.0.1", "::ffff:0:127.0.0.1",
             "64:ff9b::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "fe80::1", "fe80::1%lo", "::1%lo", "::1%25lo", "fec0::1", "fd00::1",
             "localhost", "LOCALHOST.", "a.localhost", "127.0.0.1.", "[::1]", "127.0.0.2", "127.255.255.254",
             "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.1.1", "224.0.0.1", "255.255.255.255", "198.18.0.1",
             "127。0。0。1", "①②⑦.0.0.1", "127.0.0.1\0.example.org"):
    reach(host, port)
attempt("percent", lambda: via_http(f"http://%31%32%37.0.0.1:{port}/"))`,
  ),
  attack(
    "raw addresses in SOCKS",
    "full",
    String.raw`
inet = lambda text: b"\x01" + socket.inet_aton(text)
inet6 = lambda text: b"\x04" + socket.inet_pton(socket.AF_INET6, text)
for address in (inet("127.0.0.1"), inet("0.0.0.0"), inet("10.0.0.1"), inet("169.254.169.254"), inet6("::1"), inet6("::"), inet6("::ffff:127.0.0.1"),
                inet6("::127.0.0.1"), inet6("64:ff9b::127.0.0.1"), inet6("2002:7f00:1::"), inet6("fe80::1"), inet6("fd00:ec2::254"), b"\x09abcd"):
    attempt(repr(address), lambda: via_socks("", WORLD["port"], address))
for command in (2, 3, 0, 255):
    attempt(f"command {command}", lambda: via_socks("${outsideName}", WORLD["outsidePort"], command=command))
attempt("a password", lambda: via_socks("${outsideName}", WORLD["outsidePort"], greeting=b"\x05\x01\x02"))
attempt("no name", lambda: via_socks("", 443)); attempt("port 0", lambda: via_socks("${outsideName}", 0))
def socks4():
    sock = relay(); sock.sendall(b"\x04\x01" + struct.pack(">H", WORLD["port"]) + socket.inet_aton("127.0.0.1") + b"\0")
    if sock.recv(8)[1:2] != b"\x5a": raise OSError("socks4")
    return sock
attempt("SOCKS4", socks4)`,
  ),
  attack(
    "the control plane and this machine's own addresses",
    "full",
    String.raw`
for host in WORLD["ownAddresses"]:
    for port in (WORLD["port"], 22, 7878):
        reach(host, port)`,
  ),
  attack(
    "the clouds' metadata: by address, by name, by redirect",
    "full",
    String.raw`
for host in ("169.254.169.254", "metadata.google.internal", "metadata.test", "[fd00:ec2::254]", "fd20:ce::254", "100.100.100.200", "168.63.129.16", "::ffff:a9fe:a9fe", "169.254.170.2", "0xa9fea9fe", "2852039166"):
    reach(host, 80)
import urllib.request
for url in ("http://metadata.test/latest/meta-data/", "http://169.254.169.254/latest/"):
    attempt(url, lambda: urllib.request.urlopen(url).read())`,
  ),
  attack(
    "names that change their address, or have one of each kind",
    "full",
    String.raw`
for _ in range(6):
    attempt("rebinding", lambda: via_connect(f"rebinding.test:{WORLD['port']}"))
reach("mixed.test", WORLD["port"]); reach("mixed6.test", WORLD["port"]); reach("private.test", 80)`,
    { expect: (_result, world) => world.expectLookUps("rebinding.test", 6) },
  ),
  attack(
    "hosts that are not on the list, dressed up as one that is",
    listed(),
    String.raw`
good = "${outsideName}"; port = WORLD["outsidePort"]
works(good)
for text in (f"other.test:{port}", f"{good}.other.test:{port}", f"x{good}:{port}", f"x.{good}:{port}", f"{good}@other.test:{port}", f"other.test#{good}:{port}",
             f"other.test\0.{good}:{port}", f"{good}\0.other.test:{port}", f"other.test\\@{good}:{port}", f"{good}:{port}@other.test:{port}", f"{good} other.test:{port}",
             f"other.test:{port}\r\nHost: {good}", f"{good}/../other.test:{port}", f"{good}:22", f"{good}:0", f"{good}:65536", f"{good}:99999999", f"{good}:-1", f"{good}:0x1bb", f"[{good}]:{port}", f"*:{port}", f"*.test:{port}", f"${outsideAddress}:{port}", f"::ffff:${outsideAddress}:{port}"):
    attempt(repr(text), lambda: via_connect(text))
    attempt("http " + repr(text), lambda: via_http(f"http://{text}/", host=good.encode()))
for name in ("other.test", good + "\0", good + ".other.test", "\0" + good, "*", good + "/", good + ":443", "other.test\0" + good, "ALLOWED.TEST.OTHER"):
    attempt("socks " + repr(name), lambda: via_socks(name, port))
attempt("Host", lambda: via_http(f"/", host=good.encode()))
attempt("two hosts", lambda: via_http("", raw=f"GET http://other.test:{port}/ HTTP/1.1\r\nHost: {good}\r\nHost: {good}:{port}\r\n\r\n".encode()))`,
  ),
  attack(
    "one name to the proxy, another one in TLS",
    listed(),
    String.raw`
good = "${outsideName}"; port = WORLD["outsidePort"]
works(good)
context = ssl._create_unverified_context()
def hello(name, pieces=None, change=lambda data: data):
    """Sends a TLS client hello for a name, whole or in pieces; returns what comes back."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try: client.do_handshake()
    except ssl.SSLWantReadError: pass
    data = change(outgoing.read())
    with via_connect(f"{good}:{port}") as sock:
        sock.settimeout(5)
        for at in range(0, len(data), pieces or len(data)):
            sock.sendall(data[at:at + (pieces or len(data))]); time.sleep(0.001)
        answer = sock.recv(100)
        if not answer: raise OSError("cut")
        return answer
def records(data, size):
    body = data[5:]
    return b"".join(data[:3] + struct.pack(">H", len(body[at:at + size])) + body[at:at + size] for at in range(0, len(body), size))
assert hello(good) and hello(good, 40) and hello(good.upper())
for name in ("other.test", good + ".other.test", "x." + good, None, "xn--llowed-test"):
    for pieces in (None, 1000, 100):
        attempt(f"{name} in {pieces}", lambda: hello(name, pieces))
    attempt(f"{name} in records", lambda: hello(name, None, lambda data: records(data, 50)))
attempt("other case", lambda: hello("other.test", None, lambda data: data.replace(b"other.test", b"OTHER.TEST")))
attempt("NUL", lambda: hello("other.test.test", None, lambda data: data.replace(b"other.test.test", b"allowed.test\0xx")))
attempt("a version of its own", lambda: hello("other.test", None, lambda data: data[:1] + b"\x03\x09" + data[3:]))`,
    { expect: (_result, world) => world.expectOnlyAskedFor(outsideName) },
  ),
  attack(
    "something else than TLS on its port",
    listed([`${outsideName}:443`]),
    String.raw`
def speak(words):
    with via_socks("${outsideName}", 443) as sock:
        sock.settimeout(5); sock.sendall(words); answer = sock.recv(100)
        if not answer: raise OSError("cut")
        return answer
incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
try: ssl._create_unverified_context().wrap_bio(incoming, outgoing, server_hostname="${outsideName}").do_handshake()
except ssl.SSLWantReadError: pass
if WORLD["tlsPort"]: assert speak(outgoing.read()) == b"outside"  # what is TLS passes
for words in (b"GET / HTTP/1.1\r\nHost: other.test\r\n\r\n", b"SSH-2.0-x\r\n", b"\x16", b"\x16\x03", b"\x16\x03\x01\xff\xff", b"\x80\x2e\x01\x03\x01", b"\x17\x03\x03\x00\x01x", b"\0" * 100):
    attempt(repr(words), lambda: speak(words))`,
  ),
  attack(
    "requests inside of requests",
    listed(),
    String.raw`
good = "${outsideName}"; port = WORLD["outsidePort"]; other = f"http://other.test:{port}/"
def whole(raw):
    sock = relay(); sock.sendall(raw.replace("\n", "\r\n").encode("latin1")); sock.settimeout(2)
    data = b""
    try:
        while part := sock.recv(65536): data += part
    except TimeoutError: pass
    if b"SECRET" in data.upper() or b" 200 " in data: return data
    raise OSError(data[:60])
for name, raw in {
    "lengths that contradict": f"POST {other} HTTP/1.1\nHost: {good}\nContent-Length: 5\nTransfer-Encoding: chunked\n\n0\n\nGET {other} HTTP/1.1\nHost: {good}\n\n",
    "two lengths": f"POST {other} HTTP/1.1\nHost: {good}\nContent-Length: 5\nContent-Length: 50\n\nhello",
    "a folded header": f"GET {other} HTTP/1.1\nHost: {good}\n X: y\n\n",
    "a second request behind the first": f"GET {other} HTTP/1.1\nHost: {good}\n\nCONNECT other.test:{port} HTTP/1.1\nHost: {good}\n\n",
    "a request behind a refused CONNECT": f"CONNECT other.test:{port} HTTP/1.1\nHost: {good}\n\nGET {other} HTTP/1.1\nHost: {good}\n\n",
    "an upgrade": f"GET {other} HTTP/1.1\nHost: {good}\nConnection: Upgrade\nUpgrade: websocket\n\n",
    "HTTP/2": "PRI * HTTP/2.0\n\nSM\n\n",
    "a line that ends in the host": f"GET {other}\tHTTP/1.1\nHost: {good}\n\n",
    "HTTP/0.9": f"GET {other}\n\n",
}.items():
    attempt(name, lambda: whole(raw))`,
  ),
  attack(
    "past the proxy: sockets, datagrams, name servers",
    "full",
    String.raw`
def dial(family, address):
    with socket.socket(family) as sock:
        sock.settimeout(1)
        sock.connect(address)
        return sock.getpeername()
for host in ("${outsideAddress}", "169.254.169.254", "10.0.0.1", "1.1.1.1", "8.8.8.8"):
    for port in (WORLD["outsidePort"], 443, 80, 53):
        attempt(f"{host}:{port}", lambda: dial(socket.AF_INET, (host, port)))
attempt("the host's port", lambda: dial(socket.AF_INET, ("127.0.0.1", WORLD["port"])))
attempt("IPv6", lambda: dial(socket.AF_INET6, ("2606:4700:4700::1111", 53)))
attempt("a name", lambda: socket.getaddrinfo("example.com", 80))
attempt("a datagram", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("1.1.1.1", 53)))
attempt("an echo", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP).sendto(b"\x08\0\xf7\xff\0\0\0\0", ("1.1.1.1", 0)))
attempt("raw", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1))
def datagram_to_proxy():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sock.settimeout(.3); sock.connect(("127.0.0.1", 3128)); sock.send(b"x"); return sock.recv(10)
attempt("a datagram to the proxy", datagram_to_proxy)`,
  ),
  attack(
    "the relay: its control side, its process, its place",
    listed(),
    String.raw`
good = "${outsideName}"
works(good)
for path in ("/jail/relay.sock", "/jail/agent.sock", "../relay.sock", "/proc/1/root/jail/relay.sock", *WORLD["planted"]):
    def dial():
        with socket.socket(socket.AF_UNIX) as sock: sock.connect(path)
    attempt(path, dial)
keeping = via_socks(good, WORLD["outsidePort"])
seen = {line.split()[7] for line in open("/proc/net/unix").read().splitlines()[1:] if len(line.split()) > 7}
escaped("abstract sockets in sight", [name for name in seen if "@" in name])
for name in seen:
    def follow():
        with socket.socket(socket.AF_UNIX) as sock: sock.connect(name)
    attempt(name, follow)
escaped("processes", [name for name in os.listdir("/proc") if name.isdigit() and name not in ("1", str(os.getpid()))])
for kind in b"OXDCEPAZN":
    def talk():
        sock = relay(); sock.settimeout(1); sock.sendall(bytes([kind]) + b"\0\0\x50\0\0\0\1" + bytes(16))
        if not (data := sock.recv(24)) or data.startswith(b"HTTP/1.1 400"): raise OSError("nothing")
        return data
    attempt(f"message {chr(kind)}", talk)
for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1"), (socket.AF_INET6, "::")):
    def bind():
        sock = socket.socket(family); sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind((address, 3128)); sock.listen(); return sock
    attempt(f"listen on {address}:3128", bind)
for pid in range(2, 400):
    if pid != os.getpid():
        try: os.kill(pid, signal.SIGKILL); print("ESCAPED: killed", pid)
        except ProcessLookupError: pass
works(good)`,
  ),
  attack(
    "to use up what all share",
    listed(),
    String.raw`
import resource
good, socks = "${outsideName}", []
works(good)
for number in range(2000):
    try:
        sock = socket.socket(); sock.setblocking(False); sock.connect_ex(("127.0.0.1", 3128)); socks.append(sock)
    except OSError as error:
        print("stopped after", number, error); break
for sock in socks:
    try: sock.send(b"GET http://")
    except OSError: pass
time.sleep(.5)
for sock in socks: sock.close()
for attempts in range(100):
    try: works(good); break
    except OSError: time.sleep(.05)
else: raise RuntimeError("the proxy did not come back")
for number in range(300):
    try: via_connect(f"host{number}.test:443")
    except OSError: pass
works(good)`,
    { limits: { openFiles: 3000 } },
  ),
];
