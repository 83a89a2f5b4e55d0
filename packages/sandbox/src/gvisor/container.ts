import type { ChildProcess } from "node:child_process";
import { chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { Duplex } from "node:stream";
import type { JailCgroup, SlotStats } from "../cgroups.ts";
import { SandboxConnection } from "../connection.ts";
import { killGroup, removeWhenQuiet } from "../jail.ts";
import { SandboxError } from "../spec.ts";
import type { UnsaidEnd } from "../truthful-events.ts";
import { packageFolder, spawnBubblewrap, type WallPrograms } from "../wall.ts";
import { jailWords, makeBundle, type ContainerSpec } from "./runsc.ts";

const keptTextBytes = 4096;

export interface GvisorContainerSpec extends ContainerSpec {
  readonly programs: WallPrograms;
  /** A compiled copy of the agent. */
  readonly agent: string;
  readonly layers: string | null;
  /** The host user; null: the server's own. */
  readonly uid: number | null;
  /** It is in slot 0 of the group. */
  readonly cgroup: JailCgroup | null;
}

/** One container of gVisor's, for one run or one session: a kernel of its own, as a program, in a jail. */
export class Container {
  readonly #spec: GvisorContainerSpec;
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  #errors = "";
  #ranOut = false;

  /** Starts it in `spec.folder`, which must not exist yet and is removed with it. */
  constructor(spec: GvisorContainerSpec) {
    this.#spec = spec;
    mkdirSync(spec.folder, { recursive: true, mode: 0o755 });
    makeBundle(spec);
    if (spec.uid !== null)
      for (const name of ["", "state", "rootfs", "workspace", "output", "config.json"])
        chownSync(join(spec.folder, name), spec.uid, spec.uid);
    const binds = new Map([
      ["etc", join(packageFolder, "etc")],
      ["agent", spec.agent],
      ["box", spec.folder],
      ...spec.runtime.mounts.map(({ source }, index) => [`mount-${index}`, source] as const),
      ...(spec.layers === null ? [] : [["layers", spec.layers] as const]),
    ]);
    const groups = (spec.cgroup?.binds ?? []).map(([source]) => join(source, "slot-0", "cgroup.procs"));
    this.#child = spawnBubblewrap({ programs: spec.programs, uid: spec.uid, groups, binds, output: true }, (locate) =>
      jailWords(spec, locate),
    );
    this.#child.stdin?.on("error", () => {});
    this.#child.stderr?.on("data", (chunk: Buffer) => (this.#errors = (this.#errors + chunk.toString("latin1")).slice(-keptTextBytes)));
    this.#ended = new Promise((resolve) => {
      this.#child.once("error", () => void removeWhenQuiet(spec).then(resolve));
      this.#child.once("close", () => void removeWhenQuiet(spec).then(resolve));
    });
  }

  /** Waits for the agent's greeting. Rejects with a {@link SandboxError} when that takes longer than `ms`; then it is ended. */
  async boot(ms: number): Promise<SandboxConnection> {
    const { stdin, stdout } = this.#child;
    if (stdin === null || stdout === null) throw new SandboxError("sandbox_failed", "the container could not be started");
    const stream = Duplex.from({ writable: stdin, readable: stdout });
    stream.on("error", () => stream.destroy());
    const timer = setTimeout(() => void this.end(), ms);
    try {
      return await SandboxConnection.open(stream);
    } catch (error) {
      await this.end();
      const said = this.#errors.replaceAll(/[^\n\x20-\x7e]/g, "").trim();
      throw new SandboxError("sandbox_failed", `the container did not start${said === "" ? "" : `: ${said}`}`, error);
    } finally {
      clearTimeout(timer);
    }
  }

  /** What was counted since it was asked before. */
  stats(): SlotStats | null {
    const stats = this.#spec.cgroup?.stats(0) ?? null;
    if (stats !== null && stats.oomKills > 0) this.#ranOut = true;
    return stats;
  }

  /** Its own kernel may have been ended for the memory that a program took. */
  explainEnd(): UnsaidEnd {
    this.stats();
    return this.#ranOut ? "memory" : null;
  }

  freeze(wanted: boolean): boolean {
    return this.#spec.cgroup?.freeze(0, wanted) === true;
  }

  /** Resolves when nothing is left of it. */
  get ended(): Promise<void> {
    return this.#ended;
  }

  end(): Promise<void> {
    killGroup(this.#child);
    return this.#ended;
  }
}
