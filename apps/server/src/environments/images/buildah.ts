import { spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { findProgram } from "../../sandboxes/service.ts";

/** A command of the builder ended with an error; the log says which. */
export class BuilderError extends Error {
  override readonly name = "BuilderError";
  /** The end of what it printed. */
  readonly output: string;

  constructor(verb: string, output: string) {
    super(`buildah ${verb} failed`);
    this.output = output;
  }
}

const tailBytes = 8 * 1024;

/**
 * The image builder: buildah, without privileges, a daemon, or a running container. It packs files and talks to registries; nothing of an image
 * is executed. What it keeps lies in a folder of the server's, and is gone when the server starts again.
 */
export class Buildah {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(join(folder, "run"), { recursive: true, mode: 0o700 });
    writeFileSync(join(folder, "policy.json"), JSON.stringify({ default: [{ type: "insecureAcceptAnything" }] }));
    writeFileSync(join(folder, "registries.conf"), "unqualified-search-registries = []\n");
  }

  /** Null: it is not installed. */
  static find(): string | null {
    return findProgram("buildah");
  }

  /** Runs one of its commands; answers what it prints on standard output. @throws BuilderError, the signal's reason */
  async run(verb: string, words: readonly string[], signal: AbortSignal, log: (data: Buffer) => void): Promise<string> {
    signal.throwIfAborted();
    const program = Buildah.find();
    if (program === null) throw new BuilderError(verb, "buildah is not installed");
    const { folder } = this;
    const store = ["--root", join(folder, "store"), "--runroot", join(folder, "run"), "--storage-driver", "vfs"];
    const policy = ["from", "commit", "push"].includes(verb) ? ["--signature-policy", join(folder, "policy.json")] : [];
    const env = {
      PATH: "/usr/bin:/bin:/usr/sbin:/sbin",
      HOME: folder,
      XDG_RUNTIME_DIR: join(folder, "run"),
      TMPDIR: folder,
      BUILDAH_ISOLATION: "chroot",
    };
    const registries = ["--registries-conf", join(folder, "registries.conf")];
    const child = spawn(program, [...store, ...registries, verb, ...policy, ...words], {
      env,
      stdio: ["ignore", "pipe", "pipe"],
      cwd: folder,
    });
    const stop = () => child.kill("SIGKILL");
    signal.addEventListener("abort", stop);
    const [answer, tail]: [Buffer[], { text: string }] = [[], { text: "" }];
    child.stdout.on("data", (data: Buffer) => answer.push(data));
    child.stderr.on("data", (data: Buffer) => {
      tail.text = (tail.text + data.toString()).slice(-tailBytes);
      log(data);
    });
    const code = await new Promise<number | null>((resolve) => {
      child.once("error", (error) => {
        tail.text += String(error);
        resolve(null);
      });
      child.once("close", resolve);
    });
    signal.removeEventListener("abort", stop);
    signal.throwIfAborted();
    if (code !== 0) throw new BuilderError(verb, tail.text);
    return Buffer.concat(answer).toString().trim();
  }
}
