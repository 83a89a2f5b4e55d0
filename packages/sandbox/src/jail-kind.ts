import type { RuntimeSpec } from "./spec.ts";

/** Which jail a run gets. Runs share one kind of jail wherever nothing in it would differ. */

type Mount = RuntimeSpec["mounts"][number];

/** What a jail itself has of a runtime; the rest comes with each run. */
export type JailRuntime = Pick<RuntimeSpec, "pooling" | "mounts" | "binary" | "bootCommand" | "preimport" | "env">;

/** What jails are kept for. One kind is never used in place of another. */
export interface JailKind {
  /** Tells it from every other kind. */
  readonly key: string;
  /** What people see, and what its demand is remembered by. */
  readonly name: string;
  readonly runtime: JailRuntime;
  /** Runs with a network have jails of their own, so that nothing is added to those of the others. */
  readonly networked: boolean;
  /** Runs the daemon of a long-lived sandbox instead of programs. */
  readonly session: boolean;
  /** One waits for a new tenant at any time. */
  readonly always: boolean;
}

/** The kind of jail that serves one runtime alone. */
export function ownKind(runtime: RuntimeSpec, networked = false): JailKind {
  const name = networked ? `${runtime.name} networked` : runtime.name;
  return { key: name, name, runtime, networked, session: false, always: runtime.pooling !== "cold" && !networked };
}

/**
 * The toolchains that every shared jail shows. A program that starts afresh needs nothing of its jail but the mounts of its runtime, so one
 * jail that has those of all of them serves any: they are read-only, and no secret of anybody.
 */
export class Toolchains {
  readonly #mounts: Mount[] = [];
  #kinds = sharedKinds([], 0);
  #revision = 0;

  /** Adds those of more runtimes. One whose place is taken by another's stays out, and its runtime has jails of its own. */
  add(runtimes: readonly Pick<RuntimeSpec, "mounts">[]): void {
    const before = this.#mounts.length;
    for (const { mounts } of runtimes) {
      const missing = mounts.filter((mount) => !this.#shows(mount));
      if (!missing.some((mount) => this.#mounts.some((known) => overlap(known.target, mount.target)))) this.#mounts.push(...missing);
    }
    if (this.#mounts.length > before) this.#kinds = sharedKinds([...this.#mounts], (this.#revision += 1));
  }

  /** The shared kinds of which one is to be ready at any time. */
  get kinds(): { readonly runs: JailKind; readonly sessions: JailKind } {
    return this.#kinds;
  }

  /** The kind of jail for runs of a runtime. */
  kindOf(runtime: RuntimeSpec, networked: boolean): JailKind {
    if (runtime.pooling !== "cold" || !this.#showsAllOf(runtime)) return ownKind(runtime, networked);
    return networked ? this.#kinds.networked : this.#kinds.runs;
  }

  /** The kind of jail for long-lived sandboxes: each has one to itself, with a relay, through which its ports are reached. */
  sessionKindOf(runtime: RuntimeSpec): JailKind {
    if (this.#showsAllOf(runtime)) return this.#kinds.sessions;
    const name = `session ${runtime.name}`;
    return { key: name, name, runtime, networked: true, session: true, always: false };
  }

  #showsAllOf({ mounts }: RuntimeSpec): boolean {
    return mounts.every((mount) => this.#shows(mount));
  }

  #shows({ source, target }: Mount): boolean {
    return this.#mounts.some((known) => known.source === source && known.target === target);
  }
}

/** `revision` keeps jails apart that were made before another toolchain came. */
function sharedKinds(mounts: readonly Mount[], revision: number) {
  const runtime: JailRuntime = { pooling: "cold", mounts, binary: "", preimport: [], env: {} };
  const make = (name: string, facts: Pick<JailKind, "networked" | "session" | "always">): JailKind => {
    return { key: `${name}\0${revision}`, name, runtime, ...facts };
  };
  return {
    runs: make("any", { networked: false, session: false, always: true }),
    networked: make("any networked", { networked: true, session: false, always: false }),
    sessions: make("session any", { networked: true, session: true, always: true }),
  };
}

/** One of two paths is the other, or lies below it: what is mounted at the one would hide, or be put into, what is at the other. */
function overlap(a: string, b: string): boolean {
  return `${a}/`.startsWith(`${b}/`) || `${b}/`.startsWith(`${a}/`);
}
