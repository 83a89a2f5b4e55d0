import { chmodSync, copyFileSync, lstatSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { InputTree } from "../../src/spec.ts";
import { mebibyte } from "../sandbox-driver.ts";

/** A workspace that lies ready for hostile programs: of two layers, the lower one of an earlier state, with what was removed since. */
export interface PlantedTrees {
  /** What a tier is given. */
  readonly folder: string;
  readonly tree: InputTree;
  /** Everything on the disk: any change of it, of a file's facts too, is another text. */
  readonly look: () => string;
}

const layers = ["de17a".repeat(8), "ba5e".repeat(10)] as const;
/** Folders that were removed since, each with a secret. */
const gone = ["was", "before", "once", "earlier"];
/** More than an attack's disk limit. */
const largeBytes = 24 * mebibyte;
const parts = 4;

/** Plants them in `home`. */
export function plantTrees(home: string, secret: string): PlantedTrees {
  const folder = join(home, "trees");
  const [upper, lower] = layers.map((name) => join(folder, name)) as [string, string];
  const put = (path: string, content: string | Buffer, mode = 0o644) => {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeFileSync(path, content);
    chmodSync(path, mode);
  };
  put(join(lower, "top.txt"), "top\n");
  put(join(lower, "lib/one.py"), "NAME = 'one'\n");
  put(join(lower, "lib/two.py"), `NAME = '${secret}'\n`);
  put(join(upper, "lib/two.py"), "NAME = 'two'\n");
  put(join(lower, "large.bin"), Buffer.alloc(largeBytes, "large"));
  for (let part = 0; part < parts; part += 1) put(join(lower, `part${part}.bin`), Buffer.alloc(largeBytes / parts, "part"));
  for (const name of gone) put(join(lower, name, "kept.txt"), secret);
  copyFileSync("/usr/bin/id", join(lower, "id"));
  chmodSync(join(lower, "id"), 0o6755);
  for (const path of [upper, lower]) chmodSync(path, 0o755);
  chmodSync(folder, 0o311);
  const tree: InputTree = {
    layers,
    gone,
    files: () => {
      throw new Error("the machine shows no trees");
    },
  };
  return { folder, tree, look: () => layers.map((name) => describeFolder(join(folder, name))).join("\n") };
}

function describeFolder(folder: string): string {
  const lines = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((path) => {
    const { mode, uid, nlink, ino, size, mtimeMs, ctimeMs, blocks } = lstatSync(join(folder, path));
    const isText = size < mebibyte && (mode & 0o170000) === 0o100000;
    return [path, mode, uid, nlink, ino, size, mtimeMs, ctimeMs, blocks, isText ? readFileSync(join(folder, path), "latin1") : ""].join(
      " ",
    );
  });
  return lines.toSorted().join("\n");
}
