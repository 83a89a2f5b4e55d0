import { BlockList, isIP, isIPv4, isIPv6 } from "node:net";
import { networkInterfaces } from "node:os";

/**
 * Which addresses a sandbox may be connected to. Everything that is not plainly a public address is refused, in every notation and every
 * form that carries one address in another. Source: the IANA special-purpose address registries (RFC 6890).
 */

const refused4: readonly (readonly [network: string, prefix: number, reason: string])[] = [
  ["0.0.0.0", 8, "unspecified"],
  ["10.0.0.0", 8, "private"],
  ["100.64.0.0", 10, "private (carrier NAT)"],
  ["127.0.0.0", 8, "loopback"],
  ["169.254.0.0", 16, "link-local"],
  ["172.16.0.0", 12, "private"],
  ["192.0.0.0", 24, "reserved"],
  ["192.0.2.0", 24, "reserved"],
  ["192.31.196.0", 24, "reserved"],
  ["192.52.193.0", 24, "reserved"],
  ["192.88.99.0", 24, "reserved"],
  ["192.168.0.0", 16, "private"],
  ["192.175.48.0", 24, "reserved"],
  ["198.18.0.0", 15, "reserved"],
  ["198.51.100.0", 24, "reserved"],
  ["203.0.113.0", 24, "reserved"],
  ["224.0.0.0", 4, "multicast"],
  ["240.0.0.0", 4, "reserved"],
];
/** Inside 2000::/3; everything outside of that is refused as a whole. */
const refused6: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2620:4f:8000::", 48],
  ["3fff::", 20],
];
/** Where clouds keep the credentials of a machine. No exception opens these. */
const metadata4 = ["169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "192.0.0.192", "168.63.129.16"];
const metadata6 = ["fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"];

const lists4 = refused4.map(([network, prefix, reason]) => ({ list: subnet(network, prefix, "ipv4"), reason }));
const list6 = new BlockList();
for (const [network, prefix] of refused6) list6.addSubnet(network, prefix, "ipv6");
const global6 = subnet("2000::", 3, "ipv6");
const metadata = new BlockList();
for (const address of metadata4) metadata.addAddress(address, "ipv4");
for (const address of metadata6) metadata.addAddress(address, "ipv6");

function subnet(network: string, prefix: number, family: "ipv4" | "ipv6"): BlockList {
  const list = new BlockList();
  list.addSubnet(network, prefix, family);
  return list;
}

/** An exception that an administrator made: a network, on one port or on all. */
interface Exception {
  readonly list: BlockList;
  readonly port: number | null;
}

/** Decides over addresses. */
export interface AddressRules {
  /**
   * Null: it may be connected to; otherwise why not. `address` is an IP address as {@link isIP} takes it. `isNamed`: the operator named the
   * host that leads there.
   */
  refusal(address: string, port: number, isNamed?: boolean): string | null;
}

/**
 * @param exceptions networks that may be reached although they are private: `10.1.0.0/16`, `127.0.0.1:5432`, `[fd00::1]:443`
 * @param ownAddresses the addresses of this machine
 */
export function createAddressRules(exceptions: readonly string[] = [], ownAddresses = readOwnAddresses): AddressRules {
  const allowed = exceptions.map(parseException);
  const isException = (address: string, port: number) =>
    allowed.some((entry) => (entry.port === null || entry.port === port) && entry.list.check(address, familyOf(address)));
  const refusal = (address: string, port: number, isNamed = false): string | null => {
    if (isIP(address) === 0 || address.includes("%")) return "not an address";
    const plain = embedded4(address) ?? address;
    if (metadata.check(plain, familyOf(plain))) return "a cloud's metadata service";
    if (isNamed || isException(plain, port)) return null;
    return refusalOf(plain) ?? (ownAddresses().has(plain) ? "an address of this server" : null);
  };
  return { refusal };
}

/** Whether nobody outside of the machine and its own network is behind an address. */
export function isPrivateAddress(address: string): boolean {
  if (isIP(address) === 0 || address.includes("%")) return false;
  const plain = embedded4(address) ?? address;
  if (metadata.check(plain, familyOf(plain))) return false;
  if (isIPv4(plain)) return ["private", "loopback"].includes(refusalOf(plain) ?? "");
  const groups = groupsOf(plain);
  return ((groups[0] ?? 0) & 0xfe00) === 0xfc00 || groups.every((group, place) => group === (place === 7 ? 1 : 0));
}

function refusalOf(address: string): string | null {
  if (isIPv4(address)) return lists4.find(({ list }) => list.check(address, "ipv4"))?.reason ?? null;
  if (
    groupsOf(address)
      .slice(0, 7)
      .every((group) => group === 0)
  )
    return "loopback";
  if (!global6.check(address, "ipv6")) return "private or reserved";
  return list6.check(address, "ipv6") ? "reserved" : null;
}

/** The IPv4 address that an IPv6 one stands for: mapped, compatible, translated (NAT64) or tunnelled (6to4). Null when there is none. */
export function embedded4(address: string): string | null {
  if (!isIPv6(address) || address.includes("%")) return null;
  const groups = groupsOf(address);
  const [first = 0, second = 0, third = 0] = groups;
  const dotted = (high = 0, low = 0) => [high >> 8, high & 255, low >> 8, low & 255].join(".");
  const zeros = (from: number, to: number) => groups.slice(from, to).every((group) => group === 0);
  if (zeros(0, 5) && groups[5] === 0xffff) return dotted(groups[6], groups[7]);
  if (zeros(0, 4) && groups[4] === 0xffff && groups[5] === 0) return dotted(groups[6], groups[7]);
  if (zeros(0, 6) && groups[6] !== 0) return dotted(groups[6], groups[7]);
  if (first === 0x64 && second === 0xff9b && zeros(2, 6)) return dotted(groups[6], groups[7]);
  if (first === 0x2002) return dotted(second, third);
  return null;
}

/** The eight numbers of an IPv6 address without a zone. */
function groupsOf(address: string): number[] {
  const text = new URL(`http://[${address}]`).hostname.slice(1, -1); // hexadecimal throughout
  const [head = "", tail] = text.split("::");
  const parse = (part: string) => (part === "" ? [] : part.split(":").map((group) => Number.parseInt(group, 16)));
  const [left, right] = [parse(head), parse(tail ?? "")];
  return tail === undefined ? left : [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}

function familyOf(address: string): "ipv4" | "ipv6" {
  return isIPv4(address) ? "ipv4" : "ipv6";
}

/** Reads `CIDR[:port]`. @throws Error whose message completes «… is not valid: » */
export function parseException(text: string): Exception {
  const parts =
    /^(?:\[([0-9a-f:.]+)(?:\/(\d{1,3}))?\]|([0-9.]+|[0-9a-f:.]*:[0-9a-f:.]*:[0-9a-f:.]*(?=\/|$)))(?:\/(\d{1,3}))?(?::(\d{1,5}))?$/i.exec(
      text,
    );
  const address = parts?.[1] ?? parts?.[3] ?? "";
  const family = isIP(address);
  const most = family === 4 ? 32 : 128;
  const prefix = Number(parts?.[2] ?? parts?.[4] ?? most);
  const port = parts?.[5] === undefined ? null : Number(parts[5]);
  if (family === 0 || prefix > most || (port !== null && (port < 1 || port > 65_535)))
    throw new Error(`${JSON.stringify(text)} is not a network like 10.1.0.0/16, 10.1.2.3:5432 or [fd00::]/8:443`);
  return { list: subnet(address, prefix, familyOf(address)), port };
}

/** `until`: by the monotonic clock. */
let own: { readonly until: number; readonly addresses: ReadonlySet<string> } = { until: 0, addresses: new Set() };

/** The addresses of this machine's interfaces, looked up anew every few seconds. */
function readOwnAddresses(): ReadonlySet<string> {
  if (performance.now() < own.until) return own.addresses;
  const addresses = Object.values(networkInterfaces()).flatMap((entries) => (entries ?? []).map((entry) => entry.address));
  own = { until: performance.now() + 10_000, addresses: new Set(addresses) };
  return own.addresses;
}
