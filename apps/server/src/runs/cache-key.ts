import { hash } from "node:crypto";
import type { RunInput } from "@syla/contracts/runs";
import type { CacheKey } from "../cache/service.ts";
import { defaultLimits } from "./config.ts";
import type { CheckedSubmission } from "./submission.ts";

const defaultTtlMs = 86_400_000;
/** Raised when runs of this version could end otherwise than those of earlier ones. */
const generation = 1;

/** Where the result of a request is kept; null when it is not to be, or depends on more than what is in it. */
export function cacheKeyOf(ownerId: string, input: RunInput, checked: CheckedSubmission): CacheKey | null {
  if (input.cache === false || input.network !== "none") return null;
  const { runtime, entrypoint, contents, tier } = checked;
  const files = contents.map((content) => [content.path, "bytes" in content ? sha256(content.bytes) : content.sha256]).toSorted(byFirst);
  const env = Object.entries(input.env).toSorted(byFirst);
  const limits = Object.entries({ ...defaultLimits, ...input.limits }).toSorted(byFirst);
  const stdin = sha256(input.stdinBase64 === undefined ? (input.stdin ?? "") : Buffer.from(input.stdinBase64, "base64"));
  const { name, command, compile, env: ownEnv } = runtime.definition;
  const parts = [
    generation,
    ownerId,
    name,
    runtime.version,
    command,
    compile,
    ownEnv,
    entrypoint,
    files,
    input.args,
    env,
    stdin,
    limits,
    tier,
    input.tests,
    checked.checkers,
  ];
  return { ownerId, key: sha256(JSON.stringify(parts)), ttlMs: input.cache === true ? defaultTtlMs : input.cache.ttlMs };
}

function sha256(bytes: string | Buffer): string {
  return hash("sha256", bytes);
}

function byFirst(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}
