import type { RunFrame } from "@syla/contracts/runs";
import { frameOf, type Trace } from "../trace.ts";

const start = /^(panic|fatal error): (.*)$/;
const goroutine = /^goroutine \d{1,9} (?:gp=\S{1,40} )?(?:m=\S{1,40} )?(?:mp=\S{1,40} )?\[/;
const call = /^(?:created by )?([^\t].{0,300}?)(?:\([^()]*\))?(?: in goroutine \d{1,9})?$/;
const place = /^\t(.{1,500}):(\d{1,9})(?: \+0x[0-9a-f]{1,16})?$/;
const rethrown = /^\t(panic: .*)$/;
const mostFrames = 200;

/** Panics and fatal errors, with the trace of the goroutine that had them. */
export function readGoTrace(lines: readonly string[]): Trace | null {
  const index = lines.findLastIndex((line, at) => start.test(line) && lines.slice(at, at + 40).some((next) => goroutine.test(next)));
  if (index === -1) return null;
  const first = (lines[index] ?? "").replace(/ \[recovered(?:, repanicked)?\]$/, "");
  const again = lines
    .slice(index + 1, index + 10)
    .map((line) => rethrown.exec(line)?.[1])
    .findLast((text) => text !== undefined);
  const message = (again ?? first).replace(/ \[recovered(?:, repanicked)?\]$/, "");
  const frames = readFrames(lines, index);
  return {
    code: /out of memory|cannot allocate memory/.test(message) ? "out_of_memory" : "uncaught_exception",
    kind: start.exec(message)?.[1] ?? "panic",
    message,
    frames,
    place: frames.find(({ own }) => own) ?? null,
    causes: again === undefined ? [] : [first],
  };
}

function readFrames(lines: readonly string[], from: number): RunFrame[] {
  const frames: RunFrame[] = [];
  const begin = lines.findIndex((line, index) => index > from && goroutine.test(line));
  let name: string | null = null;
  for (const line of lines.slice(begin + 1, begin + 1 + mostFrames)) {
    if (line === "" || goroutine.test(line)) break;
    const [, path, at] = place.exec(line) ?? [];
    if (path === undefined || at === undefined) name = call.exec(line)?.[1] ?? null;
    else frames.push(frameOf(path, at, null, name));
  }
  return frames;
}
