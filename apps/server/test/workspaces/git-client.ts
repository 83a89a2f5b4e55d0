import { execFile } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { createTemporaryDirectory } from "@syla/testkit/temporary-directory";
import type { Person } from "../access/people.ts";

const run = promisify(execFile);
const identity = ["user.name=Eve Hacker", "user.email=eve@example.org", "commit.gpgsign=false", "gc.auto=0", "protocol.version=2"];

type Keyed = Pick<Person, "headers">;

/** The real git, as somebody has it on their machine. */
export class GitClient {
  readonly environment: NodeJS.ProcessEnv;
  readonly #directory = createTemporaryDirectory();
  readonly #url: string;
  readonly #person: Keyed;
  #made = 0;

  /** `person`: whose key it has, when none is said. */
  constructor(url: string, person: Keyed) {
    this.#url = url;
    this.#person = person;
    this.environment = {
      PATH: process.env["PATH"],
      HOME: this.#directory.path,
      GIT_CONFIG_NOSYSTEM: "1",
      GIT_TERMINAL_PROMPT: "0",
      LC_ALL: "C",
    };
  }

  /** Runs git in a folder; what it printed, on both streams. */
  async run(folder: string, ...words: string[]): Promise<string> {
    const settings = identity.flatMap((setting) => ["-c", setting]);
    const options = { env: this.environment, maxBuffer: 1 << 26 };
    const { stdout, stderr } = await run("git", [...settings, "-C", folder, ...words], options);
    return stdout + stderr;
  }

  address(id: string, person: Keyed = this.#person, url: string = this.#url): string {
    const key = (person.headers["authorization"] ?? "").replace("Bearer ", "");
    return `${url.replace("://", `://x:${key}@`)}/git/${id}.git`;
  }

  /** Clones a workspace. @returns the folder */
  async clone(id: string, person: Keyed = this.#person, ...words: string[]): Promise<string> {
    const folder = this.#newPath("clone");
    await this.run(this.#directory.path, "clone", "--quiet", ...words, this.address(id, person), folder);
    return folder;
  }

  /** Commits everything that is in the folder, after these files are put there. @returns its id */
  async commit(folder: string, files: Readonly<Record<string, string | Buffer>>, message: string): Promise<string> {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), content);
    }
    await this.run(folder, "add", "--all", "--force");
    await this.run(folder, "commit", "--quiet", "--allow-empty", "--message", message);
    return (await this.run(folder, "rev-parse", "HEAD")).trim();
  }

  /** A tree as it is said, which git itself would not make of files. */
  async makeTree(folder: string, text: string): Promise<string> {
    const file = this.#newPath("tree");
    writeFileSync(file, text);
    return (await run("sh", ["-c", `git -C "$1" mktree <"$2"`, "sh", folder, file], { env: this.environment })).stdout.trim();
  }

  /** Makes such a tree the newest commit of main. */
  async commitTree(folder: string, text: string): Promise<void> {
    const tree = await this.makeTree(folder, text);
    const id = (await this.run(folder, "commit-tree", "-p", "HEAD", "-m", "hand-made", tree)).trim();
    await this.run(folder, "update-ref", "refs/heads/main", id);
  }

  [Symbol.dispose](): void {
    this.#directory[Symbol.dispose]();
  }

  #newPath(name: string): string {
    return join(this.#directory.path, `${name}-${(this.#made += 1)}`);
  }
}

/** What git says when it refuses. */
export async function refusalOf(work: Promise<string>): Promise<string> {
  return await work.then(
    (text) => {
      throw new Error(`it did what it should not: ${text}`);
    },
    (error: Error & { stderr?: string }) => error.stderr ?? error.message,
  );
}

/** A line of git's protocol. */
export function pkt(text: string): string {
  return (Buffer.byteLength(text) + 4).toString(16).padStart(4, "0") + text;
}
