import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import { buffer } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { RelayStreams } from "../../src/microvm/relay-streams.ts";

const window = 1 << 18;
const chunk = 1 << 15;

/** Somebody who listens, and what connects to it; both ends of each connection are known. */
async function listen(accept: (socket: Socket) => void, allowHalfOpen: boolean): Promise<() => Socket> {
  const address = `\0syla-streams-${process.pid}-${Math.random()}`;
  const server = createServer({ allowHalfOpen }, (socket) => {
    socket.on("error", () => {});
    onTestFinished(() => void socket.destroy());
    accept(socket);
  });
  await new Promise<void>((resolve) => server.listen(address, resolve));
  onTestFinished(() => void server.close());
  return () => connect({ path: address, allowHalfOpen });
}

/** A guest, as far as its port goes, and the host's end of it. `accept` gets what arrives on the host. */
async function guest(accept: (socket: Socket) => void) {
  const arrived = Promise.withResolvers<Socket>();
  const far = (await listen(arrived.resolve, false))();
  onTestFinished(() => void far.destroy());
  far.on("error", () => {});
  const streams = new RelayStreams(await arrived.promise, await listen(accept, true));
  const heard: { kind: string; stream: number; count: number; data: Buffer }[] = [];
  let pending = Buffer.alloc(0);
  far.on("data", (data: Buffer) => {
    pending = Buffer.concat([pending, data]);
    while (pending.length >= 12) {
      const [kind, stream, count] = [String.fromCharCode(pending[0] ?? 0), pending.readUInt32BE(4), pending.readUInt32BE(8)];
      const end = 12 + (kind === "D" ? count : 0);
      if (pending.length < end) return;
      heard.push({ kind, stream, count, data: pending.subarray(12, end) });
      pending = pending.subarray(end);
    }
  });
  const say = (kind: string, stream: number, count = 0, data: Uint8Array = new Uint8Array()) => {
    const header = Buffer.alloc(12);
    header.write(kind, 0, "latin1");
    header.writeUInt32BE(stream, 4);
    header.writeUInt32BE(kind === "D" ? data.length : count, 8);
    far.write(Buffer.concat([header, data]));
  };
  const bytesOf = (stream: number) =>
    Buffer.concat(heard.filter((each) => each.kind === "D" && each.stream === stream).map(({ data }) => data));
  return { far, say, heard, bytesOf, streams };
}

test("each stream is a connection of its own, and each of its ends ends by itself", async () => {
  const { say, heard, bytesOf, streams } = await guest((socket) => {
    void buffer(socket).then((said) => socket.end(`heard ${said.toString()}`));
  });
  say("O", 1);
  say("O", 7);
  say("D", 1, 0, Buffer.from("one"));
  say("D", 7, 0, Buffer.from("seven"));
  say("E", 7);
  await expect.poll(() => heard.some(({ kind, stream }) => kind === "E" && stream === 7)).toBe(true);
  expect([bytesOf(7).toString(), bytesOf(1).toString(), streams.count]).toEqual(["heard seven", "", 1]);
  say("E", 1);
  await expect.poll(() => bytesOf(1).toString()).toBe("heard one");
  await expect.poll(() => streams.count).toBe(0);
});

test("a stream whose other end reads nothing stops no other one, and goes on when it is told", async () => {
  const sent = randomBytes(3 * window);
  const { say, bytesOf } = await guest(
    (socket) => void socket.once("data", (data: Buffer) => socket.end(data.toString() === "much" ? sent : "little")),
  );
  say("O", 1);
  say("O", 2);
  say("D", 1, 0, Buffer.from("much"));
  say("E", 1);
  await expect.poll(() => bytesOf(1).length).toBe(window);
  say("D", 2, 0, Buffer.from("few"));
  await expect.poll(() => bytesOf(2).toString()).toBe("little");
  expect(bytesOf(1).length).toBe(window);
  for (let round = 0; round < 2; round += 1) {
    say("C", 1, window);
    await expect.poll(() => bytesOf(1).length).toBe((round + 2) * window);
  }
  expect(bytesOf(1).equals(sent)).toBe(true);
});

test("what the host takes is told, so that a guest can go on", async () => {
  const taken = Promise.withResolvers<Buffer>();
  const { say, heard } = await guest((socket) => void buffer(socket).then(taken.resolve));
  const sent = randomBytes(4 * window);
  say("O", 3);
  let room = window;
  for (let offset = 0, credited = 0; offset < sent.length;) {
    while (room >= chunk && offset < sent.length) {
      say("D", 3, 0, sent.subarray(offset, offset + chunk));
      offset += chunk;
      room -= chunk;
    }
    await expect.poll(() => heard.filter(({ kind }) => kind === "C").length > credited || offset >= sent.length).toBe(true);
    const credits = heard.filter(({ kind }) => kind === "C");
    room += credits.slice(credited).reduce((sum, { count }) => sum + count, 0);
    credited = credits.length;
  }
  say("E", 3);
  expect((await taken.promise).equals(sent)).toBe(true);
});

test("a connection that the host cuts is gone for the guest, and the other way round", async () => {
  const sockets: Socket[] = [];
  const { say, heard, streams } = await guest((socket) => void sockets.push(socket.resume()));
  say("O", 1);
  say("O", 2);
  await expect.poll(() => sockets.length).toBe(2);
  sockets[0]?.destroy();
  const closed = once(sockets[1] as Socket, "end");
  say("R", 2);
  await closed;
  await expect.poll(() => heard.some(({ kind, stream }) => stream === 1 && (kind === "R" || kind === "E"))).toBe(true);
  say("E", 1);
  await expect.poll(() => streams.count).toBe(0);
  say("D", 9, 0, Buffer.from("nobody")); // ended long ago, for all that the host knows
  say("O", 3);
  await expect.poll(() => sockets.length).toBe(3);
});

const header = (kind: string, stream: number, count: number) => {
  const bytes = Buffer.alloc(12);
  bytes.write(kind, 0, "latin1");
  bytes.writeUInt32BE(stream, 4);
  bytes.writeUInt32BE(count, 8);
  return bytes;
};

test.each([
  ["opens a stream twice", Buffer.concat([header("O", 1, 0), header("O", 1, 0)])],
  ["says something of no kind", Buffer.concat([header("O", 1, 0), header("?", 1, 0)])],
  ["sends more at once than a piece may have", Buffer.concat([header("O", 1, 0), header("D", 1, chunk + 1)])],
  ["goes on after its end", Buffer.concat([header("O", 1, 0), header("E", 1, 0), header("D", 1, 1), Buffer.from("x")])],
  ["opens more streams than there may be", Buffer.concat(Array.from({ length: 600 }, (_, index) => header("O", index, 0)))],
  [
    "sends more than was taken",
    Buffer.concat([header("O", 1, 0), ...Array.from({ length: 40 }, () => Buffer.concat([header("D", 1, chunk), Buffer.alloc(chunk)]))]),
  ],
])("a guest that %s has no network any more", async (_, bytes) => {
  const { far, streams } = await guest((socket) => void socket.pause());
  const closed = new Promise((resolve) => far.once("close", resolve));
  far.write(bytes);
  await closed;
  expect(streams.count).toBe(0);
});

test("noise does no harm", async () => {
  for (let round = 0; round < 20; round += 1) {
    const { far, streams } = await guest((socket) => void socket.resume());
    far.end(randomBytes(5000));
    await expect.poll(() => streams.count).toBe(0);
  }
});
