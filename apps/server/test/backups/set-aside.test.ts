import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import { describe, expect, it } from "vitest";
import { finishRestore, isUnfinished, putBack, setAside } from "../../src/backups/set-aside.ts";
import { createDataDirectory, dataDirectoryAt, type DataDirectory } from "../../src/platform/data-directory.ts";

const parts = ["secret", "credential-keys.json", "postgres/cluster", "postgres/archive"];

/** Parts of an installation, each with a word in it. */
function fill(root: string, word: string, names: readonly string[] = parts): void {
  for (const name of names) {
    const file = name.startsWith("postgres") ? join(root, name, "file") : join(root, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, word);
  }
}

/** The word in each part. */
function wordsIn(root: string): (string | null)[] {
  return parts.map((name) => {
    const file = name.startsWith("postgres") ? join(root, name, "file") : join(root, name);
    return existsSync(file) ? readFileSync(file, "utf8") : null;
  });
}

/** An installation of which so many parts have been moved, as a process that was killed leaves it. */
function cutOff(directory: DataDirectory, step: string, count: number): string {
  const replaced = join(directory.root, "replaced-then");
  const [from, to] = step === "putting-back" ? [replaced, directory.root] : [directory.root, replaced];
  fill(from, "before");
  for (const name of parts.slice(0, count)) {
    mkdirSync(dirname(join(to, name)), { recursive: true });
    renameSync(join(from, name), join(to, name));
  }
  writeFileSync(directory.restoringFile, JSON.stringify({ replaced, step }));
  return replaced;
}

function withDirectory(work: (directory: DataDirectory) => void): void {
  using temporary = createTemporaryDirectory();
  const directory = dataDirectoryAt(join(temporary.path, "data"));
  createDataDirectory(directory);
  work(directory);
}

const all = (word: string | null) => parts.map(() => word);

describe("what a restore sets aside", () => {
  it("is put back when nothing comes of it, and kept when it does", () => {
    withDirectory((directory) => {
      fill(directory.root, "before");
      const replaced = setAside(directory);
      expect([wordsIn(replaced ?? ""), wordsIn(directory.root), isUnfinished(directory)]).toEqual([all("before"), all(null), true]);
      fill(directory.root, "half");
      putBack(directory, replaced);
      expect([wordsIn(directory.root), existsSync(replaced ?? ""), isUnfinished(directory)]).toEqual([all("before"), false, false]);
      const again = setAside(directory);
      fill(directory.root, "restored");
      finishRestore(directory);
      expect([wordsIn(again ?? ""), wordsIn(directory.root), isUnfinished(directory)]).toEqual([all("before"), all("restored"), false]);
    });
    withDirectory((directory) => {
      expect(setAside(directory)).toBeNull();
      fill(directory.root, "half");
      putBack(directory, null);
      expect([wordsIn(directory.root), isUnfinished(directory)]).toEqual([all(null), false]);
    });
  });

  it("is not lost when the process is killed, whichever part it was at", () => {
    for (let count = 0; count <= parts.length; count += 1) {
      withDirectory((directory) => {
        const replaced = cutOff(directory, "setting-aside", count);
        expect(setAside(directory)).toBe(replaced);
        expect([wordsIn(replaced), wordsIn(directory.root)]).toEqual([all("before"), all(null)]);
      });
      withDirectory((directory) => {
        cutOff(directory, "putting-back", count);
        const replaced = setAside(directory) ?? "";
        expect([wordsIn(replaced), wordsIn(directory.root)]).toEqual([all("before"), all(null)]);
        expect(readdirSync(directory.root).filter((name) => name.startsWith("replaced-"))).toHaveLength(1);
      });
      withDirectory((directory) => {
        const replaced = cutOff(directory, "filling", parts.length);
        fill(directory.root, "half", parts.slice(0, count));
        expect(setAside(directory)).toBe(replaced);
        expect([wordsIn(replaced), wordsIn(directory.root)]).toEqual([all("before"), all(null)]);
      });
    }
  });

  it("refuses to guess when its note is damaged", () => {
    withDirectory((directory) => {
      fill(directory.root, "before");
      writeFileSync(directory.restoringFile, "{");
      expect(() => setAside(directory)).toThrow("is damaged");
      expect(wordsIn(directory.root)).toEqual(all("before"));
    });
  });
});
