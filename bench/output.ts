import { setTimeout as sleep } from "node:timers/promises";
import { get } from "node:http";
import { post } from "./load.ts";
import { memoryMiB, peakMemoryMiB, resetPeakMemory } from "./process-use.ts";
import { describeMachine, markdownTable, report } from "./results.ts";
import { startOurs, type Server } from "./servers.ts";

/**
 * Programs that print two gigabytes, text and not: `node bench/output.ts [--write]`. What the server takes for it, and what is kept; somebody follows and never
 * reads.
 */

const mebibyte = 1024 * 1024;
const printed = 2048 * mebibyte;

const programs: readonly (readonly [what: string, language: string, code: string])[] = [
  ["lines of text", "python", `import sys\nfor i in range(${printed / 1024}): sys.stdout.write("%07d " % i + "x" * 1015 + "\\n")`],
  [
    "bytes that are no text",
    "python",
    `import os, sys\nb = os.urandom(${mebibyte})\nfor i in range(${printed / mebibyte}): sys.stdout.buffer.write(b)`,
  ],
];

interface Run {
  readonly id: string;
  readonly status: string;
  readonly truncated: boolean;
  readonly output: { readonly stdoutBytes: number; readonly droppedBytes: number };
}

async function measure(server: Server, [what, language, code]: (typeof programs)[number], outputBytes: number): Promise<string[]> {
  const address = { port: server.port, path: "/api/v1/runs", headers: server.headers };
  resetPeakMemory(server.pid);
  const before = memoryMiB(server.pid);
  const began = performance.now();
  const answer = await post(address, JSON.stringify({ language, code, limits: { outputBytes, wallMs: 600_000 } }));
  let run = JSON.parse(answer.body) as Run;
  const follower = get({ host: "127.0.0.1", ...address, path: `/api/v1/runs/${run.id}/events` }, (response) => response.pause());
  follower.on("error", () => {});
  while (run.status === "queued" || run.status === "starting" || run.status === "running") {
    await sleep(100);
    const response = await fetch(`http://127.0.0.1:${server.port}/api/v1/runs/${run.id}`, { headers: server.headers });
    run = (await response.json()) as Run;
  }
  const seconds = (performance.now() - began) / 1000;
  const log = await fetch(`http://127.0.0.1:${server.port}/api/v1/runs/${run.id}/log?format=jsonl`, { headers: server.headers });
  let tail = "";
  let isTold = false;
  const decoder = new TextDecoder();
  for await (const chunk of log.body ?? []) {
    tail = tail.slice(-200) + decoder.decode(chunk, { stream: true });
    isTold ||= tail.includes(`[${run.output.droppedBytes} bytes of output were left out here`);
  }
  follower.destroy();
  const kept = run.output.stdoutBytes - run.output.droppedBytes;
  return [
    what,
    `${outputBytes / mebibyte}`,
    run.status,
    (run.output.stdoutBytes / mebibyte).toFixed(0),
    (kept / mebibyte).toFixed(1),
    run.truncated && isTold ? "yes" : "no",
    seconds.toFixed(1),
    before.toFixed(0),
    peakMemoryMiB(server.pid).toFixed(0),
  ];
}

await using server = await startOurs();
const rows: string[][] = [];
for (const outputBytes of [10 * mebibyte, 256 * mebibyte])
  for (const program of programs) rows.push(await measure(server, program, outputBytes));
const head = ["prints", "limit, MiB", "ended as", "printed, MiB", "kept, MiB", "told", "seconds", "memory before, MiB", "most memory, MiB"];
report(
  "two gigabytes of output",
  `\`node bench/output.ts\`, ${describeMachine()}. The first and the last half of the limit are kept, with a note of what is missing between. The memory is the server's, also while the log is read whole afterwards; somebody follows and never reads.\n\n${markdownTable(head, rows)}`,
);
