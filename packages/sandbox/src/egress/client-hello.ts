/**
 * What the first bytes of a connection say: the server name of a TLS ClientHello (RFC 8446, RFC 6066), however it is cut into records.
 * Reads hostile bytes; whatever is not exactly as the standards have it is `malformed`.
 */
export type FirstBytes =
  | { readonly kind: "incomplete" }
  | { readonly kind: "not-tls" }
  | { readonly kind: "malformed" }
  /** `encrypted`: it carries a second, encrypted hello (ECH), whose name nobody here can read. */
  | { readonly kind: "hello"; readonly name: string | null; readonly encrypted: boolean };

/** More than any client sends, post-quantum keys included. */
const maxHelloBytes = 64 * 1024;
const handshakeRecord = 22;
const clientHello = 1;
const serverName = 0;
const encryptedClientHello = 0xfe0d;

const incomplete: FirstBytes = { kind: "incomplete" };
const malformed: FirstBytes = { kind: "malformed" };

/** Looks at everything that was received so far. */
export function readFirstBytes(bytes: Buffer): FirstBytes {
  if (bytes.length === 0) return incomplete;
  if (bytes[0] !== handshakeRecord) return { kind: "not-tls" };
  if (bytes.length > 1 && bytes[1] !== 3) return { kind: "not-tls" };
  const handshake = joinRecords(bytes);
  if (handshake === null) return malformed;
  if (handshake.length < 4) return incomplete;
  const length = handshake.readUIntBE(1, 3);
  if (handshake[0] !== clientHello || length > maxHelloBytes) return malformed;
  if (handshake.length < 4 + length) return bytes.length > 2 * maxHelloBytes ? malformed : incomplete;
  try {
    return readHello(new Reader(handshake.subarray(4, 4 + length)));
  } catch (error) {
    if (error instanceof RangeError) return malformed;
    throw error;
  }
}

/** The contents of the records, as far as they are there. Null when one is no handshake record. */
function joinRecords(bytes: Buffer): Buffer | null {
  const parts: Buffer[] = [];
  let wanted = Number.POSITIVE_INFINITY;
  let size = 0;
  for (let at = 0; at < bytes.length && size < wanted;) {
    if (bytes[at] !== handshakeRecord || (bytes.length > at + 1 && bytes[at + 1] !== 3)) return null;
    if (bytes.length < at + 5) break;
    const length = bytes.readUInt16BE(at + 3);
    if (length === 0 || length > 16_384) return null;
    const part = bytes.subarray(at + 5, at + 5 + length);
    parts.push(part);
    size += part.length;
    at += 5 + length;
    if (size >= 4 && wanted === Number.POSITIVE_INFINITY) wanted = 4 + Buffer.concat(parts).readUIntBE(1, 3);
  }
  return Buffer.concat(parts);
}

function readHello(reader: Reader): FirstBytes {
  reader.take(2 + 32); // version, random
  reader.vector(1); // session
  if (reader.vector(2).length % 2 !== 0) return malformed; // cipher suites
  reader.vector(1); // compression
  let name: string | null = null;
  const seen = new Set<number>();
  const extensions = new Reader(reader.left === 0 ? Buffer.alloc(0) : reader.vector(2));
  if (reader.left > 0) return malformed;
  while (extensions.left > 0) {
    const type = extensions.number(2);
    const content = extensions.vector(2);
    if (seen.has(type)) return malformed;
    seen.add(type);
    if (type === serverName) name = readServerName(new Reader(content));
  }
  return { kind: "hello", name, encrypted: seen.has(encryptedClientHello) };
}

/** @throws RangeError unless there is exactly one name, of the one kind there is */
function readServerName(reader: Reader): string {
  const list = new Reader(reader.vector(2));
  const kind = list.number(1);
  const name = list.vector(2).toString("latin1");
  if (kind !== 0 || list.left > 0 || reader.left > 0 || !/^[\x21-\x7e]{1,255}$/.test(name)) throw new RangeError("not a server name");
  return name.toLowerCase().replace(/\.$/, "");
}

/** Cuts bytes off the front. Throws RangeError where there are not enough. */
class Reader {
  #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length;
  }

  take(count: number): Buffer {
    if (count > this.#bytes.length) throw new RangeError("cut short");
    const part = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return part;
  }

  number(bytes: 1 | 2): number {
    return this.take(bytes).readUIntBE(0, bytes);
  }

  /** Bytes behind their own length. */
  vector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.number(lengthBytes));
  }
}
