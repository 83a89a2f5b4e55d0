import type { Socket } from "node:net";
import { readExactly } from "../read-bytes.ts";
import { parseHost, type Target } from "./target.ts";

/** SOCKS5 (RFC 1928), as far as a program needs it to connect to a name or an address. No authentication. */

const version = 5;
export const socksVersion = version;

export const SocksReply = { succeeded: 0, failed: 1, refused: 2, unreachable: 4, commandUnknown: 7, addressUnknown: 8 } as const;

/** Answers one request. */
export function replySocks(client: Socket, reply: number): void {
  if (client.writable) client.write(Buffer.from([version, reply, 0, 1, 0, 0, 0, 0, 0, 0]));
}

/** Greets, and reads where the program wants to go. Null: it was told why not, or is gone. */
export async function readSocksRequest(client: Socket): Promise<Target | null> {
  const greeting = await readExactly(client, 2);
  const methods = greeting === null ? null : await readExactly(client, greeting.readUInt8(1));
  if (methods === null) return null;
  if (!methods.includes(0)) {
    client.end(Buffer.from([version, 0xff]));
    return null;
  }
  client.write(Buffer.from([version, 0]));
  const head = await readExactly(client, 4);
  if (head === null) return null;
  const host = await readAddress(client, head.readUInt8(3));
  const port = host === null ? null : await readExactly(client, 2);
  if (host === null || port === null) return null;
  const parsed = parseHost(host);
  const problem =
    head[0] !== version
      ? SocksReply.failed
      : head[1] !== 1
        ? SocksReply.commandUnknown
        : parsed === null
          ? SocksReply.addressUnknown
          : null;
  if (problem === null && parsed !== null && port.readUInt16BE(0) > 0) return { host: parsed, port: port.readUInt16BE(0) };
  replySocks(client, problem ?? SocksReply.addressUnknown);
  client.end();
  return null;
}

async function readAddress(client: Socket, type: number): Promise<string | null> {
  if (type === 1) return (await readExactly(client, 4))?.join(".") ?? null;
  if (type === 3) {
    const length = await readExactly(client, 1);
    return length === null ? null : ((await readExactly(client, length.readUInt8(0)))?.toString("latin1") ?? null);
  }
  if (type === 4) {
    const hex = (await readExactly(client, 16))?.toString("hex") ?? null;
    return hex === null ? null : (hex.match(/.{4}/g) ?? []).join(":");
  }
  replySocks(client, SocksReply.addressUnknown);
  client.end();
  return null;
}
