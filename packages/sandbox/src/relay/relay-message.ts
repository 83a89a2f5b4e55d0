/** What the host and a slot's relay say to each other: the host's side of `agent/relay.py`. */

export const messageBytes = 24;
const tokenAt = 8;

export const RelayKind = {
  // what a connection is, said first on it
  control: "C",
  egress: "E",
  port: "P",
  // host → relay
  open: "O",
  close: "X",
  dial: "D",
  // relay → host
  opened: "A",
  closed: "Z",
  failed: "N",
} as const;

/** `port` also carries an errno, `number` a slot, a dial or a flag; `token` is the run's, 16 bytes. */
export interface RelayMessage {
  readonly kind: string;
  readonly port: number;
  readonly number: number;
  readonly token: string;
}

/** One message as bytes. `token`: 32 hexadecimal digits. */
export function encodeRelayMessage({ kind, port, number, token }: RelayMessage): Buffer {
  const bytes = Buffer.alloc(messageBytes);
  bytes.write(kind, 0, 1, "latin1");
  bytes.writeUInt16BE(port, 2);
  bytes.writeUInt32BE(number, 4);
  bytes.write(token, tokenAt, "hex");
  return bytes;
}

/** Any 24 bytes are a message; whether they make sense is for whoever reads them. */
export function decodeRelayMessage(bytes: Buffer): RelayMessage {
  return {
    kind: bytes.toString("latin1", 0, 1),
    port: bytes.readUInt16BE(2),
    number: bytes.readUInt32BE(4),
    token: bytes.toString("hex", tokenAt, messageBytes),
  };
}
