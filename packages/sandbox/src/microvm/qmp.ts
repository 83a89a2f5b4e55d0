import type { Socket } from "node:net";
import { z } from "zod";
import { SandboxError } from "../spec.ts";
import { AskedQuestions } from "./asked-questions.ts";
import { JsonLines } from "./json-lines.ts";

const answerMs = 10_000;
const Message = z.object({
  id: z.int().optional(),
  return: z.unknown().optional(),
  error: z.object({ desc: z.string() }).optional(),
});

/** QEMU's control protocol. Source: docs/interop/qmp-spec.rst of QEMU. */
export class Qmp {
  readonly #lines: JsonLines;
  readonly #questions = new AskedQuestions();
  readonly #ready: Promise<unknown>;

  constructor(socket: Socket) {
    this.#lines = new JsonLines(socket, (value) => {
      const { id, error, return: result } = Message.parse(value);
      if (id === undefined) return; // its greeting, and events
      if (error === undefined) this.#questions.answer(id, result);
      else this.#questions.refuse(id, `QEMU refused: ${error.desc.slice(0, 500)}`);
    });
    socket.once("close", () => this.#questions.end(new SandboxError("sandbox_failed", "the machine has ended")));
    this.#ready = this.#ask("qmp_capabilities");
    this.#ready.catch(() => {}); // seen by whoever asks next
  }

  /** Carries out a command. Rejects with a {@link SandboxError} when QEMU refuses or does not answer. */
  async execute(command: string, words: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    await this.#ready;
    return await this.#ask(command, words);
  }

  #ask(command: string, words: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return this.#questions.ask((id) => this.#lines.send({ execute: command, arguments: words, id }), answerMs);
  }
}
