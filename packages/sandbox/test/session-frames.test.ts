import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProtocolError, RefusalError, SessionChannel } from "../src/session-channel.ts";
import { encodeSessionFrame, SessionFrameReader, SessionFrameType, windowBytes, type SessionFrame } from "../src/session-frames.ts";

const frameOf = (type: number, payload: string | Buffer, channel = 1): SessionFrame => ({ type, channel, payload: Buffer.from(payload) });

function failureOf(work: () => unknown): unknown {
  try {
    work();
    return null;
  } catch (error) {
    return error;
  }
}

describe("the frames of a session", () => {
  it("come out as they went in, however the stream is cut", () => {
    const frames = fc.array(fc.record({ type: fc.nat(255), channel: fc.nat(2 ** 32 - 1), payload: fc.uint8Array({ maxLength: 300 }) }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 50 }), (sent, cuts) => {
        const stream = Buffer.concat(sent.map(({ type, channel, payload }) => encodeSessionFrame(type, channel, payload)));
        const reader = new SessionFrameReader();
        const received: SessionFrame[] = [];
        for (let offset = 0, turn = 0; offset < stream.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          received.push(...reader.read(stream.subarray(offset, offset + size)));
          offset += size;
        }
        expect(received.map(({ type, channel, payload }) => ({ type, channel, payload: new Uint8Array(payload) }))).toEqual(sent);
      }),
    );
  });

  it("of any bytes whatever end in a frame, in a wait for more or in a RangeError", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
        const failure = failureOf(() => [...new SessionFrameReader().read(Buffer.from(bytes))]);
        expect(failure === null || failure instanceof RangeError).toBe(true);
      }),
    );
  });
});

describe("a channel", () => {
  const open = () => {
    const sent: Buffer[] = [];
    const channel = new SessionChannel(
      1,
      (frame) => void sent.push(frame),
      () => {},
    );
    return { channel, sent };
  };

  it("takes any frame without another error than that of the protocol", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.record({
            type: fc.nat(16),
            payload: fc.oneof(
              fc.uint8Array(),
              fc.json().map((text) => Buffer.from(text)),
            ),
          }),
        ),
        (frames) => {
          const { channel } = open();
          const failure = failureOf(() => frames.forEach(({ type, payload }) => channel.receive(frameOf(type, Buffer.from(payload)))));
          expect(failure === null || failure instanceof ProtocolError).toBe(true);
        },
      ),
    );
  });

  it("refuses more than it has asked for, and asks for more as it is read", async () => {
    const { channel, sent } = open();
    const piece = Buffer.alloc(windowBytes / 4);
    for (let count = 0; count < 4; count += 1) channel.receive(frameOf(SessionFrameType.data, piece));
    const greedy = open().channel;
    greedy.receive(frameOf(SessionFrameType.data, Buffer.alloc(windowBytes)));
    expect(() => greedy.receive(frameOf(SessionFrameType.data, "x"))).toThrow(ProtocolError);
    const pieces = channel.pieces();
    await pieces.next();
    await pieces.next();
    expect(sent).toHaveLength(1);
    channel.receive(frameOf(SessionFrameType.data, piece));
  });

  it("sends no more than was granted, whatever credit is claimed", async () => {
    const { channel, sent } = open();
    const bytes = () => sent.reduce((sum, frame) => sum + frame.length - 9, 0);
    void channel.write(Buffer.alloc(5 * windowBytes));
    expect(bytes()).toBe(windowBytes);
    const credit = Buffer.alloc(4);
    credit.writeUInt32BE(0xffffffff);
    channel.receive(frameOf(SessionFrameType.credit, credit));
    await Promise.resolve();
    expect(bytes()).toBe(2 * windowBytes);
  });

  it("ends with what it failed with, for its reader and its writer", async () => {
    const { channel } = open();
    const writing = channel.write(Buffer.alloc(5 * windowBytes));
    channel.receive(frameOf(SessionFrameType.fail, '{"code":"ENOENT","message":"No such file or directory"}'));
    await writing;
    await expect(Array.fromAsync(channel.pieces())).rejects.toEqual(new RefusalError("ENOENT", "No such file or directory"));
  });
});
