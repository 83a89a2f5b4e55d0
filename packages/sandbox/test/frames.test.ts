import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeFrame, encodeJsonFrame, FrameReader, FrameType, type Frame } from "../src/frames.ts";

const agentFolder = fileURLToPath(new URL("../agent", import.meta.url));
const frame = fc.record({
  type: fc.integer({ min: 0, max: 255 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

function readAll(chunks: readonly Buffer[]): Frame[] {
  const reader = new FrameReader();
  const found: Frame[] = [];
  for (const chunk of chunks) {
    reader.feed(chunk);
    for (let next = reader.next(); next !== null; next = reader.next()) found.push({ type: next.type, payload: Buffer.from(next.payload) });
  }
  return found;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const edges = [0, ...places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return edges.slice(1).map((edge, index) => bytes.subarray(edges[index], edge));
}

function attempt(action: () => unknown): unknown {
  try {
    return action();
  } catch (error) {
    return error;
  }
}

const bytesOf = (frames: readonly Frame[]) => Buffer.concat(frames.map((one) => encodeFrame(one.type, one.payload)));

describe("FrameReader", () => {
  test("gives back what was encoded, wherever the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 8 }), fc.array(fc.nat(3000), { maxLength: 12 }), (frames, places) => {
        expect(readAll(cut(bytesOf(frames), places))).toEqual(frames);
      }),
    );
  });

  test("cut at every byte", () => {
    const frames = [
      { type: 34, payload: Buffer.from("hello") },
      { type: 33, payload: Buffer.alloc(0) },
      { type: 39, payload: Buffer.from("{}") },
    ];
    const whole = bytesOf(frames);
    for (let place = 0; place <= whole.length; place += 1)
      expect(readAll([whole.subarray(0, place), whole.subarray(place)])).toEqual(frames);
    expect(readAll([...whole].map((byte) => Buffer.of(byte)))).toEqual(frames);
  });

  test("refuses lengths that no agent sends, before it waits for the bytes", () => {
    fc.assert(
      fc.property(fc.integer({ min: 8 * 1024 * 1024 + 1, max: 0xffffffff }), fc.integer({ min: 0, max: 255 }), (length, type) => {
        const header = Buffer.alloc(5);
        header.writeUInt32BE(length, 0);
        header.writeUInt8(type, 4);
        expect(() => readAll([header])).toThrow(RangeError);
      }),
    );
  });

  test("takes the largest frame", () => {
    const payload = Buffer.alloc(8 * 1024 * 1024, 7);
    expect(readAll([encodeFrame(FrameType.data, payload)])[0]?.payload.equals(payload)).toBe(true);
  });

  test("garbage gives frames or a RangeError, never anything else and never a hang", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.uint8Array({ maxLength: 64 }).map((bytes) => Buffer.from(bytes)),
          { maxLength: 20 },
        ),
        (chunks) => {
          const total = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
          const read = attempt(() => readAll(chunks).reduce((sum, one) => sum + one.payload.length + 5, 0));
          expect(read instanceof RangeError || (typeof read === "number" && read <= total)).toBe(true);
        },
      ),
    );
  });
});

test("the agent's frames.py reads what the host writes and the other way round, cut at every byte", () => {
  const frames = [
    { type: FrameType.start as number, payload: encodeJsonFrame(1, { argv: ["ü", "\n", "\u2028"] }).subarray(5) },
    { type: FrameType.stdin as number, payload: Buffer.from([0, 255, 10]) },
    { type: FrameType.stdinEnd as number, payload: Buffer.alloc(0) },
  ];
  const program = `
import sys
sys.path.insert(0, sys.argv[1])
import frames
stream = sys.stdin.buffer.read()
for place in range(len(stream) + 1):
    reader, out = frames.Reader(), b""
    for part in (stream[:place], stream[place:]):
        reader.feed(part)
        for kind, payload in reader.take():
            out += frames.encode(kind, payload)
    assert out == stream, place
for length in (frames.MAX_PAYLOAD + 1, 0xffffffff):
    reader = frames.Reader()
    reader.feed(length.to_bytes(4, "big") + b"x")
    try:
        list(reader.take())
        sys.exit("took a frame of %d bytes" % length)
    except ValueError:
        pass
sys.stdout.buffer.write(out)`;
  const child = spawnSync("python3", ["-B", "-c", program, agentFolder], { input: bytesOf(frames) });
  expect(child.stderr.toString()).toBe("");
  expect(readAll([child.stdout])).toEqual(frames);
});
