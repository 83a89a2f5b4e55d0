import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { connect } from "node:tls";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { readFirstBytes } from "../../src/egress/client-hello.ts";

/** The first bytes of Node's own TLS client. */
async function recordHello(servername: string): Promise<Buffer> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const client = connect({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", servername, rejectUnauthorized: false });
  client.on("error", () => {});
  const [socket] = (await once(server, "connection")) as [Socket];
  const [bytes] = (await once(socket, "data")) as [Buffer];
  client.destroy();
  server.close();
  return bytes;
}

const vector = (lengthBytes: number, content: Buffer) => {
  const length = Buffer.alloc(lengthBytes);
  length.writeUIntBE(content.length, 0, lengthBytes);
  return Buffer.concat([length, content]);
};
const u16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const extension = (type: number, content: Buffer) => Buffer.concat([u16(type), vector(2, content)]);
const nameEntry = (name: string, kind = 0) => Buffer.concat([Buffer.from([kind]), vector(2, Buffer.from(name, "latin1"))]);
const serverName = (...entries: Buffer[]) => extension(0, vector(2, Buffer.concat(entries)));
const record = (content: Buffer, type = 22) => Buffer.concat([Buffer.from([type, 3, 1]), vector(2, content)]);
const handshake = (extensions: Buffer[], rest = Buffer.alloc(0)) =>
  Buffer.concat([
    Buffer.from([1]),
    vector(
      3,
      Buffer.concat([
        u16(0x0303),
        Buffer.alloc(32),
        vector(1, Buffer.alloc(32)),
        vector(2, u16(0x1301)),
        vector(1, Buffer.alloc(1)),
        vector(2, Buffer.concat(extensions)),
        rest,
      ]),
    ),
  ]);
const hello = (...extensions: Buffer[]) => record(handshake(extensions));

let real: Buffer;
beforeAll(async () => {
  real = await recordHello("Service.Example.ORG");
});

describe("the first bytes of a connection", () => {
  test("of a real client name the server, and are incomplete until the last of them is there", () => {
    expect(readFirstBytes(real)).toEqual({ kind: "hello", name: "service.example.org", encrypted: false });
    for (let length = 0; length < real.length; length += 1)
      expect(readFirstBytes(real.subarray(0, length))).toEqual({ kind: "incomplete" });
  });

  test("may be cut into records of any size, with more behind them", () => {
    const message = real.subarray(5);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }), fc.uint8Array({ maxLength: 50 }), (sizes, more) => {
        const records: Buffer[] = [];
        let at = 0;
        for (const size of sizes) if (at < message.length) records.push(record(message.subarray(at, (at += size))));
        if (at < message.length) records.push(record(message.subarray(at)));
        const bytes = Buffer.concat([...records, more]);
        expect(readFirstBytes(bytes)).toMatchObject({ kind: "hello", name: "service.example.org" });
      }),
    );
  });

  test("of a client without a name, with a dot behind it, or with a second, encrypted hello", () => {
    expect(readFirstBytes(hello())).toEqual({ kind: "hello", name: null, encrypted: false });
    expect(readFirstBytes(hello(serverName(nameEntry("a.org."))))).toEqual({ kind: "hello", name: "a.org", encrypted: false });
    expect(readFirstBytes(hello(serverName(nameEntry("a.org")), extension(0xfe0d, Buffer.alloc(9))))).toMatchObject({
      name: "a.org",
      encrypted: true,
    });
  });

  test.each<[string, Buffer]>([
    ["two names", hello(serverName(nameEntry("a.org"), nameEntry("b.org")))],
    ["two name extensions", hello(serverName(nameEntry("a.org")), serverName(nameEntry("b.org")))],
    ["NUL in the name", hello(serverName(nameEntry("a.org\0.b.org")))],
    ["a space in the name", hello(serverName(nameEntry("a.org b")))],
    ["bytes outside of ASCII", hello(serverName(nameEntry("\xe9.org")))],
    ["an empty name", hello(serverName(nameEntry("")))],
    ["a name of another kind", hello(serverName(nameEntry("a.org", 1)))],
    ["bytes behind the names", hello(extension(0, Buffer.concat([vector(2, nameEntry("a.org")), Buffer.alloc(1)])))],
    ["bytes behind the extensions", record(handshake([serverName(nameEntry("a.org"))], Buffer.alloc(3)))],
    ["another handshake message", record(Buffer.concat([Buffer.from([2]), vector(3, Buffer.alloc(40))]))],
    ["an empty record", record(Buffer.alloc(0))],
    ["a record that is too long", Buffer.from([22, 3, 1, 0xff, 0xff, 1])],
    ["another record in between", Buffer.concat([record(Buffer.from([1, 0])), record(Buffer.alloc(2), 21)])],
    ["a hello without an end", Buffer.concat([record(Buffer.from([1, 0xff, 0xff, 0xff])), record(Buffer.alloc(16_000))])],
  ])("with %s are malformed", (_name, bytes) => {
    expect(readFirstBytes(bytes)).toEqual({ kind: "malformed" });
  });

  test.each(["GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\x80\x2e\x01\x03\x01", "\x16\x02\x00", "\0"])("%j is not TLS", (text) => {
    expect(readFirstBytes(Buffer.from(text, "latin1"))).toEqual({ kind: "not-tls" });
  });

  test("any bytes get an answer, and a hello that was tampered with never another name without looking broken or different", () => {
    const kinds = ["incomplete", "not-tls", "malformed", "hello"];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(kinds).toContain(readFirstBytes(Buffer.from(bytes)).kind);
        expect(kinds).toContain(readFirstBytes(Buffer.concat([Buffer.from([22, 3, 1]), bytes])).kind);
        expect(kinds).toContain(readFirstBytes(record(Buffer.concat([Buffer.from([1, 0, 0, bytes.length]), bytes]))).kind);
      }),
      { numRuns: 5000 },
    );
    fc.assert(
      fc.property(fc.integer({ min: 0, max: real.length - 1 }), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const bytes = Buffer.from(real);
        bytes[at] = value;
        expect(kinds).toContain(readFirstBytes(bytes).kind);
      }),
      { numRuns: 5000 },
    );
  });
});
