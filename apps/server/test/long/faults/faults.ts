import { setTimeout as sleep } from "node:timers/promises";
import { commandLine, descendants, isAlive, processesThatSee, sandboxProcesses } from "@syla/testkit/host-state";
import type { Installation, Node } from "./installation.ts";

export const faultKinds = [
  "server that is asked",
  "server that only works",
  "server that begins a schedule",
  "wall of a jail",
  "agent in a jail",
  "process of PostgreSQL",
  "PostgreSQL",
  "Redis",
  "stop in order",
] as const;
export type FaultKind = (typeof faultKinds)[number];

/** What was done, and what it may excuse. */
export interface Fault {
  readonly kind: FaultKind;
  /** Runs of this process may be lost; null: no run may. */
  readonly killedPid: number | null;
  /** Runs may end as the sandbox's fault. */
  readonly breaksSandboxes: boolean;
  /** Brings back what is away. */
  readonly mend: () => Promise<void>;
}

/** Kills, with SIGKILL, one thing of that kind. `random` chooses among several. */
export async function inflict(installation: Installation, kind: FaultKind, random: () => number): Promise<Fault> {
  const { nodes, postgres, redis } = installation;
  const pick = <T>(items: readonly T[]): T | undefined => items[Math.floor(random() * items.length)];
  const harmless = { kind, killedPid: null, breaksSandboxes: false, mend: () => Promise.resolve() };
  const killServer = async (node: Node): Promise<Fault> => {
    const { server } = node;
    node.url = "";
    await server[Symbol.asyncDispose]();
    await untilGone(node);
    const restMs = random() * 500;
    const mend = async () => {
      await sleep(restMs);
      await installation.start(node);
    };
    return { ...harmless, killedPid: server.child.pid ?? 0, mend };
  };
  const nodeBy = (isAsked: boolean) => pick(nodes.filter((node) => node.isAsked === isAsked)) ?? nodeAt(nodes, 0);
  switch (kind) {
    case "server that is asked":
      return await killServer(nodeBy(true));
    case "server that only works":
      return await killServer(nodeBy(false));
    case "server that begins a schedule":
      return await killServer((await findTicking(installation)) ?? nodeBy(true));
    case "wall of a jail":
    case "agent in a jail": {
      const victim = pick(jailProcesses(installation, kind === "wall of a jail"));
      if (victim !== undefined) kill(victim);
      return { ...harmless, breaksSandboxes: true };
    }
    case "process of PostgreSQL": {
      const rows = await installation.query<{ pid: number }>(
        "select pid from pg_stat_activity where backend_type = 'client backend' and application_name <> 'observer' order by pid",
      );
      const victim = pick(rows);
      if (victim !== undefined) kill(victim.pid);
      return harmless;
    }
    case "PostgreSQL":
      if (postgres.pid !== undefined) kill(postgres.pid); // it is started again by who started it
      return harmless;
    case "Redis":
      await redis.kill();
      return { ...harmless, mend: () => redis.restart() };
    case "stop in order": {
      const node = pick(nodes) ?? nodeAt(nodes, 0);
      const mend = async () => {
        const { server } = node;
        node.url = "";
        server.child.kill("SIGTERM");
        const code = await server.exited();
        if (code !== 0) throw new Error(`a server that was told to stop ended with ${code}: ${server.output()}`);
        await installation.start(node);
      };
      return { ...harmless, mend };
    }
  }
}

/** The sandboxes of a killed server, and whatever else it has started, go with it, without another start. */
async function untilGone({ dataDir, name }: Node): Promise<void> {
  for (let tries = 400; processesThatSee(dataDir).some(isAlive); tries -= 1) {
    if (tries === 0)
      throw new Error(`processes of the ${name} server outlive it: ${processesThatSee(dataDir).map(commandLine).join("; ")}`);
    await sleep(50);
  }
}

function nodeAt(nodes: readonly Node[], place: number): Node {
  const node = nodes[place];
  if (node === undefined) throw new Error("there are no servers");
  return node;
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {} // it has just ended by itself
}

/** The walls of jails, or what stands behind them and looks after programs: never a program itself, whose end would be its own. */
function jailProcesses({ nodes }: Installation, walls: boolean): number[] {
  return nodes.flatMap(({ server }) => {
    const root = server.child.pid ?? 0;
    const inSlots = sandboxProcesses(root);
    const agents = [...descendants(root)].filter((pid) => isAlive(pid) && (inSlots.get(pid) ?? 1) === 1);
    return agents.filter((pid) => {
      const words = commandLine(pid);
      return words.includes("/agent/agent.py") && words.includes("bwrap") === walls;
    });
  });
}

/** Who has a schedule locked, to begin its run; undefined when nobody has within a moment. */
async function findTicking({ nodes, query }: Installation): Promise<Node | undefined> {
  for (let tries = 100; tries > 0; tries -= 1) {
    const [found] = await query<{ name: string }>(
      `select a.application_name as name from pg_locks l join pg_stat_activity a using (pid)
       where l.relation = 'schedules'::regclass and l.mode = 'RowShareLock' and a.application_name <> 'observer' limit 1`,
    );
    if (found !== undefined) return nodes.find(({ name }) => name === found.name);
    await sleep(5);
  }
  return undefined;
}
