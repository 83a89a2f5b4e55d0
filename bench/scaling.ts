import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { createLogger } from "@syla/server/platform/logger";
import { EmbeddedPostgres, ensureDatabase } from "@syla/server/platform/postgres";
import { databaseUrl } from "@syla/testkit/database-url";
import { load } from "./load.ts";
import { freshTarget, startOurs, type Server } from "./servers.ts";

/**
 * Fresh executions per second of one, two and three servers that share a database, each with a worker: `node bench/scaling.ts [COUNT]`, so many
 * executions for each server and round. In turns, so that a busy machine slows all of them. Each has the same number of clients.
 */

const count = Number(process.argv[2] ?? 400);
const clientsEach = 8;
const rounds = 5;
const mostServers = 3;

/** Executions per second, and how much processor time all processes of the machine took for each, milliseconds. */
interface Figure {
  readonly perSecond: number;
  readonly cpuMs: number;
}

/** Of all processors, without waiting; milliseconds. */
function busyMs(): number {
  const [, user = 0, nice = 0, system = 0] = (readFileSync("/proc/stat", "utf8").split("\n")[0] ?? "").split(/\s+/).map(Number);
  return (user + nice + system) * 10;
}

async function measure(servers: readonly Server[]): Promise<Figure> {
  const [began, busy] = [performance.now(), busyMs()];
  await Promise.all(servers.map((server) => load(freshTarget(server), clientsEach, count)));
  const executions = count * servers.length;
  return { perSecond: (executions * 1000) / (performance.now() - began), cpuMs: (busyMs() - busy) / executions };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const folder = mkdtempSync(join(import.meta.dirname, "../.build/bench-"));
const postgres = await EmbeddedPostgres.start(join(folder, "postgres"), createLogger("warn"));
try {
  await ensureDatabase(postgres, "syla");
  const variables = { DATABASE_URL: databaseUrl(postgres.address("syla")) };
  await using stack = new AsyncDisposableStack();
  const servers: Server[] = [];
  while (servers.length < mostServers) servers.push(stack.use(await startOurs(variables)));
  await measure(servers); // until the compilers have settled
  const figures = servers.map((): Figure[] => []);
  for (let round = 0; round < rounds; round += 1)
    for (const [place, own] of figures.entries()) own.push(await measure(servers.slice(0, place + 1)));
  const one = median((figures[0] ?? []).map(({ perSecond }) => perSecond));
  const lines = figures.map((own, place) => {
    const [perSecond, cpuMs] = [median(own.map((figure) => figure.perSecond)), median(own.map((figure) => figure.cpuMs))];
    return `| ${place + 1} | ${perSecond.toFixed(0)}/s | ${(perSecond / one).toFixed(2)}× | ${cpuMs.toFixed(1)} ms | ${(1000 / cpuMs).toFixed(0)}/s |`;
  });
  console.log(
    [
      `${cpus().length} processors, ${clientsEach} clients for each server\n`,
      "| servers | fresh executions | ratio | processor time for each | for each processor |",
      "|---:|---:|---:|---:|---:|",
      ...lines,
    ].join("\n"),
  );
} finally {
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
