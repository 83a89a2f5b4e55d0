import type { Attack } from "./attack.ts";

/** Anything beyond the sandbox's own loopback. */
export const networkAttacks: readonly Attack[] = [
  {
    name: "raw, packet, netlink, vsock and other socket families",
    code: String.raw`
for family in range(0, 60):
    if family not in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6):
        for kind in (1, 2, 3, 5):
            attempt(f"family {family} kind {kind}", lambda: socket.socket(family, kind, 0))
            attempt(f"pair {family} kind {kind}", lambda: check(libc.socketpair(family, kind, 0, (ctypes.c_int * 2)())))
for family in (socket.AF_INET, socket.AF_INET6):
    for protocol in (0, 1, 6, 17, 58, 255):
        attempt(f"raw {family} {protocol}", lambda: socket.socket(family, socket.SOCK_RAW, protocol))
    for protocol in (33, 132, 136, 262, 115, 2):
        for kind in (1, 2, 5, 6):
            attempt(f"protocol {protocol} kind {kind}", lambda: socket.socket(family, kind, protocol))
attempt("high bits", lambda: call(41, (1 << 32) | 16, 3, 0))`,
  },
  {
    name: "the cloud's metadata, private ranges, the control plane, the internet",
    code: String.raw`
def dial(family, address):
    with socket.socket(family) as sock:
        sock.settimeout(1)
        sock.connect(address)
        return sock.recv(100)
for host in ("127.0.0.1", "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.100.100.200", "1.1.1.1", "0.0.0.0", "127.0.0.2"):
    for port in (WORLD["port"], 80, 443, 22, 7878):
        attempt(f"{host}:{port}", lambda: dial(socket.AF_INET, (host, port)))
for host in ("::1", "fd00:ec2::254", "fe80::1", "::ffff:127.0.0.1"):
    attempt(f"{host}", lambda: dial(socket.AF_INET6, (host, WORLD["port"])))
attempt("udp", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("169.254.169.254", 53)))
attempt("broadcast", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("255.255.255.255", 67)))
attempt("multicast", lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("224.0.0.1", 5353)))`,
  },
  {
    name: "DNS",
    code: String.raw`
for name in ("metadata.google.internal", "example.com", "postgres", "host.docker.internal"):
    attempt(name, lambda: socket.getaddrinfo(name, 80))`,
  },
  {
    name: "change interfaces, addresses and routes",
    code: String.raw`
import fcntl
names = [line.split(":")[0].strip() for line in open("/proc/net/dev").read().splitlines()[2:]]
escaped("interfaces", [name for name in names if name not in ("lo", "sit0", "tunl0", "ip6tnl0", "ip_vti0", "gre0", "gretap0", "erspan0", "ip6gre0")])
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
address = struct.pack("16sH2s4s8s", b"lo", socket.AF_INET, bytes(2), socket.inet_aton("10.0.0.5"), bytes(8))
for name, number in {"SIOCSIFADDR": 0x8916, "SIOCSIFFLAGS": 0x8914, "SIOCSIFMTU": 0x8922, "SIOCSIFHWADDR": 0x8924, "SIOCADDRT": 0x890B, "SIOCBRADDBR": 0x89A0}.items():
    attempt(name, lambda: fcntl.ioctl(sock, number, address + bytes(64)))
routes = open("/proc/net/route").read().splitlines()[1:]
escaped("routes", routes)
attempt("low port", lambda: socket.socket().bind(("127.0.0.1", 80)) if int(open("/proc/sys/net/ipv4/ip_unprivileged_port_start").read()) > 80 else (_ for _ in ()).throw(OSError("any port is free here")))`,
  },
  {
    name: "unix sockets of the host and of neighbours",
    code: String.raw`
def dial(path):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(1)
        sock.connect(path)
for path in ["\0" + WORLD["abstractName"], "\0neighbour", "/var/run/docker.sock", "/run/docker.sock", "/run/dbus/system_bus_socket", "/run/systemd/private", "/tmp/neighbour.sock", WORLD["folder"] + "/../host.sock"]:
    attempt(repr(path), lambda: dial(path))
escaped("names in sight", [line for line in open("/proc/net/unix").read().splitlines()[1:] if "@" in line])`,
  },
];
