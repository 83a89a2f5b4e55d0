import { once } from "node:events";
import { Readable } from "node:stream";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { addBlob, createZip } from "../../src/platform/zip.ts";

it("an archive closes what it has opened when its reader goes away, and opens nothing more", async () => {
  const opened: Readable[] = [];
  const blobs = {
    open: () => {
      const content = new Readable({ read: () => void content.push(Buffer.alloc(64 * 1024)) });
      opened.push(content);
      return Promise.resolve(content);
    },
  };
  const { zip, output } = createZip();
  for (const name of ["a", "b"]) addBlob(zip, blobs, name, { sha256: name, size: 2 ** 30 }, { compress: false });
  zip.end();
  await once(output, "readable");
  expect(opened.map(({ destroyed }) => destroyed)).toEqual([false]);
  output.destroy();
  await once(output, "close");
  expect(opened.map(({ destroyed }) => destroyed)).toEqual([true]);
});

it("content that is opened when the reader of the archive has gone is closed at once", async () => {
  const content = Readable.from(["x"]);
  const opening = Promise.withResolvers<Readable>();
  const { zip, output } = createZip();
  addBlob(zip, { open: () => opening.promise }, "a", { sha256: "a", size: 1 }, {});
  output.destroy();
  opening.resolve(content);
  await setImmediate();
  expect(content.destroyed).toBe(true);
});
