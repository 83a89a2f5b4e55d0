import { request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { connectInFolder } from "../listen-in-folder.ts";
import { SandboxError } from "../spec.ts";

const answerMs = 30_000;
const connectMs = 10_000;
const pollMs = 5;
const mostAnswerBytes = 1 << 16;
const Fault = z.object({ fault_message: z.string() });

/** Firecracker's API: JSON over HTTP, on a unix socket that it makes when it starts. */
export class FirecrackerApi {
  readonly #folder: string;
  readonly #socket: string;

  private constructor(folder: string, socket: string) {
    this.#folder = folder;
    this.#socket = socket;
  }

  /** Waits until it answers. Rejects with a {@link SandboxError} when it does not. */
  static async connect(folder: string, socket: string): Promise<FirecrackerApi> {
    const api = new FirecrackerApi(folder, socket);
    for (const end = performance.now() + connectMs; ; await sleep(pollMs)) {
      try {
        await api.#ask("GET", "/", null);
        return api;
      } catch (error) {
        if (performance.now() > end) throw error;
      }
    }
  }

  /** Rejects with a {@link SandboxError} when it refuses. */
  async put(path: string, body: unknown): Promise<void> {
    await this.#ask("PUT", path, body);
  }

  /** Rejects as `put` does. */
  async patch(path: string, body: unknown): Promise<void> {
    await this.#ask("PATCH", path, body);
  }

  #ask(method: string, path: string, body: unknown): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const content = body === null ? "" : JSON.stringify(body);
    const headers = {
      host: "localhost",
      accept: "application/json",
      "content-type": "application/json",
      "content-length": Buffer.byteLength(content),
    };
    const createConnection = () => connectInFolder(this.#folder, this.#socket);
    const asking = request({ method, path, headers, createConnection, timeout: answerMs }, (answer) => {
      let text = "";
      answer.setEncoding("utf8");
      answer.on("data", (chunk: string) => (text = (text + chunk).slice(0, mostAnswerBytes)));
      answer.on("error", (error) => reject(failure(method, path, error.message)));
      answer.on("end", () => {
        const status = answer.statusCode ?? 0;
        if (status >= 200 && status < 300) resolve();
        else reject(failure(method, path, faultIn(text) ?? `status ${status}`));
      });
    });
    asking.on("timeout", () => asking.destroy(new Error(`no answer within ${answerMs} ms`)));
    asking.on("error", (error) => reject(failure(method, path, error.message)));
    asking.end(content);
    return promise;
  }
}

function failure(method: string, path: string, reason: string): SandboxError {
  return new SandboxError("sandbox_failed", `Firecracker refused ${method} ${path}: ${reason.slice(0, 500)}`);
}

function faultIn(text: string): string | null {
  try {
    return Fault.parse(JSON.parse(text)).fault_message;
  } catch {
    return null;
  }
}
