import { type FSWatcher, statSync, watch } from "node:fs";
import { dirname } from "node:path";
import type { LocalFile } from "./collect-files.ts";

/** Editors write a file in several steps. */
const quietMs = 150;

/** A change that is waited for. */
export interface FileChange {
  /** Resolves with what has changed when nothing more does for a moment. */
  readonly happened: Promise<string>;
  stop(): void;
}

/** Waits until a program's files are others than now. `collect` tells which these are; while it throws, they count as unchanged. */
export function awaitChange(collect: () => readonly LocalFile[]): FileChange {
  const before = fingerprint(collect());
  const { promise, resolve } = Promise.withResolvers<string>();
  const watchers: FSWatcher[] = [];
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const changed = differing(before, now(collect));
    if (changed !== null) resolve(changed);
  };
  const onEvent = () => {
    clearTimeout(timer);
    timer = setTimeout(look, quietMs);
  };
  for (const folder of new Set([...before.keys()].map((path) => dirname(path)))) {
    const watcher = watch(folder, onEvent);
    watcher.on("error", onEvent);
    watchers.push(watcher);
  }
  // what has changed between the look and the watching
  onEvent();
  return {
    happened: promise,
    stop: () => {
      clearTimeout(timer);
      watchers.forEach((watcher) => watcher.close());
    },
  };
}

type Fingerprint = ReadonlyMap<string, string>;

function fingerprint(files: readonly LocalFile[]): Fingerprint {
  return new Map(
    files.map(({ path, size }) => {
      const { mtimeMs = 0, ino = 0 } = statSync(path, { throwIfNoEntry: false }) ?? {};
      return [path, `${size} ${mtimeMs} ${ino}`];
    }),
  );
}

function now(collect: () => readonly LocalFile[]): Fingerprint | null {
  try {
    return fingerprint(collect());
  } catch {
    return null;
  }
}

/** The first file that is new, another or gone. */
function differing(before: Fingerprint, after: Fingerprint | null): string | null {
  if (after === null) return null;
  const changed = [...after].find(([path, text]) => before.get(path) !== text);
  return changed?.[0] ?? [...before.keys()].find((path) => !after.has(path)) ?? null;
}
