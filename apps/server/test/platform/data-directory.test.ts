import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createTemporaryDirectory, type TemporaryDirectory } from "@syla/testkit/temporary-directory";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  checkLayout,
  createDataDirectory,
  dataDirectoryAt,
  readOrCreateSecret,
  writePrivateFile,
} from "../../src/platform/data-directory.ts";
import { lockDirectory } from "../../src/platform/lock.ts";

const coded = (code: string) => expect.objectContaining({ code }) as Error;

describe("data directory", () => {
  let temporary: TemporaryDirectory;
  beforeEach(() => {
    temporary = createTemporaryDirectory();
  });
  afterEach(() => temporary[Symbol.dispose]());

  it("is private, also when it was there and was not", () => {
    const root = join(temporary.path, "data");
    mkdirSync(root);
    chmodSync(root, 0o755);
    const directory = dataDirectoryAt(root);
    createDataDirectory(directory);
    expect(statSync(root).mode & 0o777).toBe(0o700);
    expect(readdirSync(root).toSorted()).toEqual(["blobs", "environments", "postgres", "sandboxes", "spool", "trees"]);
  });

  it("is refused where a file is in the way", () => {
    writeFileSync(join(temporary.path, "data"), "");
    expect(() => createDataDirectory(dataDirectoryAt(join(temporary.path, "data")))).toThrow(coded("data_dir_unusable"));
  });

  it("is marked once, and refused when newer or damaged", () => {
    const directory = dataDirectoryAt(temporary.path);
    checkLayout(directory);
    checkLayout(directory);
    const file = join(temporary.path, "layout.json");
    expect(readFileSync(file, "utf8")).toBe('{"layout":3}\n');
    writeFileSync(file, '{"layout":7}');
    expect(() => checkLayout(directory)).toThrow(coded("data_dir_newer"));
    for (const text of ["", "null", "[]", '{"layout":1.5}', '{"layout":"1"}']) {
      writeFileSync(file, text);
      expect(() => checkLayout(directory)).toThrow(coded("data_dir_unusable"));
      expect(readFileSync(file, "utf8")).toBe(text);
    }
  });

  it("belongs to one server at a time", () => {
    const file = join(temporary.path, "server.lock");
    const lock = lockDirectory(file);
    expect(() => lockDirectory(file)).toThrow(`Another server (pid ${process.pid})`);
    lock.release();
    lockDirectory(file).release();
  });

  it("does not mistake an old process id for a lock", () => {
    const file = join(temporary.path, "server.lock");
    writeFileSync(file, "1\n");
    lockDirectory(file).release();
    expect(readFileSync(file, "utf8")).toBe(`${process.pid}\n`);
  });

  it("keeps a secret once made, and writes private files whole", () => {
    const file = join(temporary.path, "secret");
    const secret = readOrCreateSecret(file);
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(readOrCreateSecret(file)).toBe(secret);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(() => writePrivateFile(join(temporary.path, "no/such/folder"), "x")).toThrow("ENOENT");
    mkdirSync(join(temporary.path, "taken"));
    expect(() => writePrivateFile(join(temporary.path, "taken"), "x")).toThrow("EISDIR");
    expect(readdirSync(temporary.path).toSorted()).toEqual(["secret", "taken"]);
  });
});
