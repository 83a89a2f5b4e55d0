import { randomBytes } from "node:crypto";
import type { Socket } from "node:net";
import { z } from "zod";
import type { SlotLimits, SlotStats } from "../cgroups.ts";
import { SandboxError } from "../spec.ts";
import { AskedQuestions } from "./asked-questions.ts";
import { JsonLines } from "./json-lines.ts";

const answerMs = 10_000;
const entropyBytes = 64;

const Answer = z.object({ id: z.int(), error: z.string().optional() }).loose();
const News = z.object({ event: z.enum(["gone", "failed"]), message: z.string().max(1000).optional() });
const Stats = z.object({ oomKills: z.int().nonnegative(), peakMemoryBytes: z.number().nonnegative().nullable() });

/** The host's end of a guest's process 1 (`guest/guest.py`), over the port `syla.control`. */
export class GuestControl {
  readonly #lines: JsonLines;
  readonly #questions = new AskedQuestions();

  /** `onTrouble` is told when the guest is of no use any more. */
  constructor(socket: Socket, onTrouble: (message: string) => void) {
    this.#lines = new JsonLines(socket, (value) => {
      const answer = Answer.safeParse(value);
      if (!answer.success) {
        const { event, message } = News.parse(value);
        return onTrouble(event === "gone" ? "the agent has let go of its connection" : (message ?? "the guest failed"));
      }
      const { id, error, ...rest } = answer.data;
      if (error === undefined) this.#questions.answer(id, rest);
      else this.#questions.refuse(id, `the guest refused: ${error.slice(0, 500)}`);
    });
    socket.once("close", () => this.#questions.end(new SandboxError("sandbox_failed", "the machine has ended")));
  }

  /** Starts the agent, as soon as the guest is there. */
  async start(words: readonly string[], ms: number): Promise<void> {
    await this.#ask({ op: "start", words, ...freshness() }, ms);
  }

  /** Tells it the time and gives it randomness, as soon as it goes on. */
  async freshen(ms = answerMs): Promise<void> {
    await this.#ask({ op: "freshen", ...freshness() }, ms);
  }

  /** Shows what is on a drive as a folder. */
  async show(drive: number, target: string, ms = answerMs): Promise<void> {
    await this.#ask({ op: "show", drive, target }, ms);
  }

  /** Hears the relay from now on. */
  async openNetwork(): Promise<void> {
    await this.#ask({ op: "network" });
  }

  /** Rejects when it does not answer in time. */
  async ping(ms: number): Promise<void> {
    await this.#ask({ op: "ping" }, ms);
  }

  /** Bounds the run; `outlivesOutOfMemory`: without memory one process ends and not all of them. */
  async limit({ cpus, memoryBytes, processes, outlivesOutOfMemory = false }: SlotLimits): Promise<void> {
    await this.#ask({ op: "limit", cpus, memoryBytes, processes, alone: outlivesOutOfMemory });
  }

  /** Null: the guest does not say. Believed no more than anything else out of it. */
  async stats(): Promise<SlotStats | null> {
    const answer = await this.#ask({ op: "stats" }).catch(() => null);
    const stats = Stats.safeParse(answer);
    return stats.success ? stats.data : null;
  }

  #ask(wish: Readonly<Record<string, unknown>>, ms = answerMs): Promise<unknown> {
    return this.#questions.ask((id) => this.#lines.send({ id, ...wish }), ms);
  }
}

/** What a guest cannot know by itself. */
function freshness(): { now: number; entropy: string } {
  return { now: Date.now() / 1000, entropy: randomBytes(entropyBytes).toString("hex") };
}
