import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { expect, test } from "vitest";
import { writeNewFile } from "../src/output/new-file.ts";

const body = (...pieces: readonly (string | Error)[]) => {
  let next = 0;
  return new ReadableStream<Uint8Array<ArrayBuffer>>({
    pull(controller) {
      const piece = pieces[next++];
      if (piece instanceof Error) controller.error(piece);
      else if (piece === undefined) controller.close();
      else controller.enqueue(new TextEncoder().encode(piece));
    },
  });
};

test("a file is written whole or not at all, and never over another", async () => {
  using folder = createTemporaryDirectory();
  const path = join(folder.path, "a.zip");
  await expect(writeNewFile(path, body("some", new Error("the connection was lost")))).rejects.toThrow("the connection was lost");
  expect(readdirSync(folder.path)).toEqual([]);
  await writeNewFile(path, body("so", "me"));
  writeFileSync(join(folder.path, "other"), "kept");
  await expect(writeNewFile(join(folder.path, "other"), body("new"))).rejects.toMatchObject({ code: "file_exists", exitCode: 73 });
  await expect(writeNewFile(join(folder.path, "no", "such"), body("new"))).rejects.toMatchObject({ code: "cannot_write", exitCode: 73 });
  expect(["a.zip", "other"].map((name) => readFileSync(join(folder.path, name), "utf8"))).toEqual(["some", "kept"]);
});
