import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { unpackKernel } from "../../src/microvm/plain-kernel.ts";

const kernel = Buffer.concat([Buffer.from("\x7fELF", "latin1"), Buffer.alloc(10_000, "kernel")]);

/** A `bzImage`, as far as its header goes. */
function pack(payload: Buffer, { magic = "HdrS", version = 0x020f } = {}): Buffer {
  const image = Buffer.alloc(5 * 512 + 100);
  image[0x1f1] = 4;
  image.write(magic, 0x202, "latin1");
  image.writeUInt16LE(version, 0x206);
  image.writeUInt32LE(100, 0x248);
  image.writeUInt32LE(payload.length, 0x24c);
  return Buffer.concat([image, payload, Buffer.alloc(300, "loader")]);
}

const size = Buffer.alloc(4);
size.writeUInt32LE(kernel.length);

test.each(["xz", "gzip"])("the kernel in an image that %s has compressed", (program) => {
  const payload = execFileSync(program, ["-c"], { input: kernel });
  expect(unpackKernel(pack(program === "gzip" ? payload : Buffer.concat([payload, size]))).equals(kernel)).toBe(true);
});

test("what is no kernel is told so", () => {
  const gzip = (bytes: Buffer) => execFileSync("gzip", ["-c"], { input: bytes });
  expect(() => unpackKernel(Buffer.alloc(10))).toThrow("no kernel");
  expect(() => unpackKernel(pack(gzip(kernel), { magic: "None" }))).toThrow("no kernel");
  expect(() => unpackKernel(pack(gzip(kernel), { version: 0x0200 }))).toThrow("no kernel");
  expect(() => unpackKernel(pack(Buffer.from("plain bytes")))).toThrow("unknown way");
  expect(() => unpackKernel(pack(gzip(Buffer.from("text"))))).toThrow("no ELF");
});
