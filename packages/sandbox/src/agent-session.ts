import type { Socket } from "node:net";
import { z } from "zod";
import type { AgentExit } from "./connection.ts";
import type { NetworkUsage } from "./egress/connection-log.ts";
import type { DiskWatch } from "./disk-guard.ts";
import { explain, type Place } from "./place.ts";
import { relayPort } from "./egress/environment.ts";
import type { RunNetwork } from "./run-network.ts";
import { SessionEndedError } from "./session-channel.ts";
import { openContext, type ContextOptions, type Interpreters } from "./session-context.ts";
import { SessionDaemon } from "./session-daemon.ts";
import { createFiles } from "./session-files.ts";
import { startProcess } from "./session-process.ts";
import type {
  ContextLanguage,
  ListeningPort,
  PausedBy,
  ProcessFacts,
  ProcessSpec,
  Session,
  SessionContext,
  SessionEnd,
  SessionFiles,
  SessionProcess,
  SessionStats,
} from "./session.ts";
import { SandboxError, type EffectiveLimits } from "./spec.ts";

/** How long after its hard end, or after being told to end, a sandbox that does not answer is ended with all that is around it, milliseconds. */
const graceMs = 5000;
const longestTimerMs = 2 ** 31 - 1;

const Facts = z.object({
  pid: z.int(),
  parent: z.int(),
  session: z.int(),
  state: z.string().max(4),
  command: z.array(z.string()),
  cpuMs: z.number(),
  memoryBytes: z.number(),
  startedMs: z.number(),
  started: z.boolean(),
});
const Processes = z.object({ processes: z.array(Facts) });
const Stats = z.object({
  processes: z.int(),
  memoryBytes: z.number(),
  cpuMs: z.number(),
  diskBytes: z.number(),
  diskLimitBytes: z.number(),
});
const Ports = z.object({
  ports: z.array(z.object({ port: z.int(), address: z.enum(["any", "loopback"]), pid: z.int().nullable() })).max(1024),
});

/** What a session is opened with. */
export interface AgentSessionOptions {
  readonly tier: string;
  readonly place: Place;
  readonly plan: unknown;
  readonly limits: EffectiveLimits;
  readonly interpreters: Interpreters;
  readonly network: RunNetwork;
  /** Told when its init goes to sleep, with what is on its disk, and when it does something again. */
  readonly disk: Pick<DiskWatch, "sleeps" | "wakes">;
}

/** A session whose program is our daemon, in a place of its own. */
export class AgentSession implements Session {
  readonly tier: string;
  readonly limits: EffectiveLimits;
  readonly files: SessionFiles;
  readonly ended: Promise<SessionEnd>;
  readonly #options: AgentSessionOptions;
  readonly #daemon: SessionDaemon;
  readonly #hardEnd: NodeJS.Timeout;
  readonly #pauses: { readonly wanted: boolean; readonly done: () => void }[] = [];
  #turn: Promise<unknown> = Promise.resolve();
  #pausedBy: PausedBy | null = null;
  #closing = false;
  #over = false;

  private constructor(options: AgentSessionOptions) {
    this.#options = options;
    this.tier = options.tier;
    this.limits = options.limits;
    this.#daemon = new SessionDaemon(options.place.connection);
    this.files = createFiles(this.#daemon);
    const wallMs = Math.min(options.limits.wallMs.value + graceMs, longestTimerMs);
    this.#hardEnd = setTimeout(() => void this.#options.place.end(), wallMs);
    this.#hardEnd.unref();
    this.ended = this.#live();
  }

  /** Starts the daemon in its place. Rejects with a {@link SandboxError} when it does not come up. */
  static async open(options: AgentSessionOptions): Promise<AgentSession> {
    options.place.connection.open(options.plan);
    const session = new AgentSession(options);
    try {
      await session.#daemon.ready();
      return session;
    } catch (error) {
      await session.end();
      throw new SandboxError("sandbox_failed", "the session's daemon did not start", error);
    }
  }

  get pausedBy(): PausedBy | null {
    return this.#pausedBy;
  }

  start(spec: ProcessSpec): Promise<SessionProcess> {
    return startProcess(this.#daemon, spec);
  }

  openContext(language: ContextLanguage, options: ContextOptions = {}): Promise<SessionContext> {
    const { python, node } = this.#options.interpreters;
    if (language === "javascript" && node === null) throw new SandboxError("tier_unavailable", "there is no Node.js for contexts");
    const words = language === "python" ? [python, "/run/syla/context.py"] : [node ?? "", "--no-warnings", "/run/syla/context.mjs"];
    return openContext(this.#daemon, language, words, options);
  }

  async processes(): Promise<ProcessFacts[]> {
    const found: ProcessFacts[] = [];
    for await (const piece of this.#daemon.open({ op: "processes" }).pieces())
      if (piece.type === "event" && found.length < 4096) found.push(...Processes.parse(piece.value).processes);
    return found;
  }

  async signal(pid: number, number: number): Promise<void> {
    await this.#daemon.ask({ op: "signal", pid, signal: number }, z.unknown());
  }

  stats(): Promise<SessionStats> {
    return this.#daemon.ask({ op: "stats" }, Stats);
  }

  async ports(): Promise<ListeningPort[]> {
    const { ports } = await this.#daemon.ask({ op: "ports" }, Ports);
    return this.network() === null ? ports : ports.filter(({ port }) => port !== relayPort); // the relay is none of its programs'
  }

  connect(port: number): Promise<Socket> {
    return this.#options.network.connect(port);
  }

  network(): NetworkUsage | null {
    return this.#options.network.usage();
  }

  pause(): Promise<PausedBy> {
    return this.#inTurn(async () => {
      if (this.#pausedBy !== null) return this.#pausedBy;
      const by = await this.#options.place.freeze(true);
      if (by !== null) return (this.#pausedBy = by);
      await this.#stopProcesses(true);
      return (this.#pausedBy = "signals");
    });
  }

  resume(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#pausedBy === null) return;
      if (this.#pausedBy !== "signals") await this.#options.place.freeze(false);
      else await this.#stopProcesses(false);
      this.#pausedBy = null;
    });
  }

  async end(): Promise<void> {
    if (!this.#over) {
      this.#closing = true;
      const { place } = this.#options;
      place.connection.kill("stopped");
      if (this.#pausedBy === "machine") void place.end(); // nobody in there hears it
      const timer = setTimeout(() => void place.end(), graceMs);
      await this.ended.finally(() => clearTimeout(timer));
    }
    await this.ended;
  }

  /** One pause or resumption after another. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      if (this.#over) throw new SessionEndedError("the sandbox has ended");
      return work();
    });
    this.#turn = turn.catch(() => {});
    return turn;
  }

  /** Init stops every process, the daemon too, and remembers whom it stopped. */
  #stopProcesses(wanted: boolean): Promise<void> {
    return new Promise((done) => {
      this.#pauses.push({ wanted, done });
      this.#options.place.connection.pause(wanted);
    });
  }

  /** The session's whole life: reads what its init says until that ends, then leaves nothing behind. */
  async #live(): Promise<SessionEnd> {
    const { place, network, disk } = this.#options;
    const { connection } = place;
    let end: SessionEnd = { reason: "failed", message: null };
    try {
      for await (const event of connection.events()) {
        if (event.type === "dormant") disk.sleeps(event.diskBytes);
        else disk.wakes();
        if (event.type === "output" && event.stream === "stdout") this.#daemon.receive(event.data);
        else if (event.type === "paused") this.#confirmPause(event.paused);
        else if (event.type === "agent-exit") end = toEnd(event.exit, this.#closing);
      }
    } catch (thrown) {
      const error = this.#closing ? null : await explain(place, thrown);
      end = error === null ? { reason: "closed", message: null } : { reason: "failed", message: error instanceof Error ? error.message : String(error) };
    }
    this.#over = true;
    clearTimeout(this.#hardEnd);
    this.#daemon.finish(new SessionEndedError("the sandbox has ended"));
    for (const { done } of this.#pauses.splice(0)) done();
    const cut = network.close();
    place.release(false);
    await Promise.all([cut, place.end()]);
    return end;
  }

  #confirmPause(paused: boolean): void {
    const place = this.#pauses.findIndex(({ wanted }) => wanted === paused);
    if (place >= 0) for (const { done } of this.#pauses.splice(place, 1)) done();
  }
}

function toEnd(exit: AgentExit, closing: boolean): SessionEnd {
  if (closing || exit.reason === "stopped") return { reason: "closed", message: null };
  if (exit.reason === "timeout" || exit.reason === "memory" || exit.reason === "disk") return { reason: exit.reason, message: null };
  return {
    reason: "failed",
    message: `its daemon ended (${exit.signal === null ? `exit code ${exit.exitCode}` : `signal ${exit.signal}`})`,
  };
}
