import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A directory of a test's own; `[Symbol.dispose]` removes it with all it holds. */
export interface TemporaryDirectory {
  readonly path: string;
  [Symbol.dispose](): void;
}

/** Makes an empty directory, readable by its owner only. */
export function createTemporaryDirectory(): TemporaryDirectory {
  const path = mkdtempSync(join(tmpdir(), "syla-test-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }) };
}
