import type { Duplex } from "node:stream";
import type { NetworkUsage } from "./egress/connection-log.ts";
import type { HostNames } from "./egress/hosts.ts";
import type { NetworkPolicy } from "./egress/policy.ts";
import type { Refusal } from "./refusal.ts";
import type { Session } from "./session.ts";

/**
 * What a sandbox is asked for and what it answers: the interface that every tier implements. Sizes are bytes, times milliseconds.
 */

/** How a runtime gets a process: forked from a booted interpreter, booted ahead and used once, or started afresh. */
export type Pooling = "fork" | "preboot" | "cold";

/** A language as the sandbox needs it. Made from `runtimes/<name>/runtime.yaml`; paths are host paths. */
export interface RuntimeSpec {
  readonly name: string;
  readonly pooling: Pooling;
  /** Host folders and files that it needs besides /usr, bound read-only; `target` is below /opt or /etc. */
  readonly mounts: readonly { readonly source: string; readonly target: string }[];
  /** The interpreter or compiler driver on the host. */
  readonly binary: string;
  /** Words of the command; `{binary}` and `{entrypoint}` are replaced, the arguments follow. */
  readonly command: readonly string[];
  /** Boots an interpreter that waits for its program (`agent/preboot.py`); of `preboot` only. */
  readonly bootCommand?: readonly string[];
  /** Modules that a forked interpreter imports ahead. */
  readonly preimport: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Prefixes of variables that change how the interpreter boots: a run that sets one gets a process of its own. */
  readonly bootVariables: readonly string[];
  /** Reserves much more address space than it uses, so that no rlimit can bound its memory. */
  readonly reservesMemory: boolean;
  /** A Python environment below /layers: an interpreter that its programs are forked from is in each of them what that one's would be. */
  readonly prefix?: string;
}

/** Limits of one run, all resolved. */
export interface SandboxLimits {
  readonly wallMs: number;
  readonly cpus: number;
  readonly memoryBytes: number;
  readonly processes: number;
  readonly openFiles: number;
  readonly diskBytes: number;
  readonly outputBytes: number;
}

export type LimitName = keyof SandboxLimits;

/** What enforces a limit. `none`: nothing here can. */
export type Enforcer = "cgroup" | "rlimit" | "supervisor" | "affinity" | "none";

/** The limits of a run as they were in force. */
export type EffectiveLimits = { readonly [Name in LimitName]: { readonly value: number; readonly enforcedBy: Enforcer } };

/** A file to put into the workspace. `path` is relative, with `/`, already checked. */
export interface InputFile {
  readonly path: string;
  readonly mode: number;
  readonly content: Uint8Array | AsyncIterable<Uint8Array>;
}

/** A link to put into the workspace; `link` is where it leads. Made by the host alone: what users send has none. */
export interface InputLink {
  readonly path: string;
  readonly link: string;
}

/** What may be put into a workspace. */
export type InputEntry = InputFile | InputLink;

/**
 * Files that lie ready: folders below the one that the tier has been given for trees, the first one on top of the others, without the paths in
 * `gone`, which may be folders. They stay there, as they are, until the sandbox has ended.
 */
export interface InputTree {
  readonly layers: readonly string[];
  readonly gone: readonly string[];
  /** The same files, for a machine that cannot show a sandbox what lies ready. */
  readonly files: () => AsyncIterable<InputFile>;
}

/** One run for a sandbox. */
export interface SandboxSpec {
  /** Whose run it is: runs of different tenants never share an outer wall. */
  readonly tenant: string;
  readonly runtime: RuntimeSpec;
  /** Relative to the workspace. */
  readonly entrypoint: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly stdin: Uint8Array | null;
  /** The first of its files; `files` are put in after that, in place of those of the same path. */
  readonly tree?: InputTree;
  readonly files: Iterable<InputEntry> | AsyncIterable<InputEntry>;
  /** Names of the built dependencies that it finds below `/layers`. */
  readonly layers?: readonly string[];
  readonly limits: SandboxLimits;
  readonly artifacts: { readonly maxBytes: number; readonly maxFiles: number };
  /** The host wants to have what becomes of the workspace, but for folders of these names. */
  readonly returns?: { readonly maxBytes: number; readonly maxFiles: number; readonly ignore: readonly string[] };
  /** What the program may reach; nothing when left out. */
  readonly network?: NetworkPolicy;
  /** What the model gateway knows the run by; with it, a run that may reach hosts reaches the gateway too. */
  readonly gatewayToken?: string;
  /** Names that the host answers for, to a run that may reach hosts. */
  readonly hosts?: HostNames;
  /** The host wants to connect to ports of the program (see {@link SandboxRun.connect}), also of one without a network. */
  readonly ports?: boolean;
  /** Awaited when everything is in place, before the program gets to run. When it throws, nothing runs. */
  readonly begin?: () => Promise<void>;
}

/** Why a program was ended from outside. */
export type EndReason = "timeout" | "memory" | "disk" | "cancelled" | "stopped";

/** How a run ended. Exactly one of `exitCode` and `signal` is set, unless it never started. */
export interface SandboxExit {
  readonly type: "exit";
  readonly exitCode: number | null;
  readonly signal: number | null;
  readonly reason: EndReason | null;
  /** The kernel ended a process of this run for its memory limit. */
  readonly outOfMemory: boolean;
  readonly runMs: number;
  readonly cpuMs: number;
  readonly peakMemoryBytes: number | null;
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  readonly droppedBytes: number;
  /** Why the program could not be started (`ENOENT` and the like). */
  readonly failure: { readonly errno: number; readonly message: string } | null;
}

/** What happens in a sandbox, in order. `artifact` and `returned` are followed by the file's bytes in `artifact-data`. */
export type SandboxEvent =
  /** `agoMs`: how long before it was told. */
  | { readonly type: "started"; readonly agoMs: number }
  | { readonly type: "output"; readonly stream: "stdout" | "stderr"; readonly data: Buffer }
  | { readonly type: "dropped"; readonly bytes: number }
  | { readonly type: "artifact"; readonly path: string; readonly size: number }
  | { readonly type: "artifact-data"; readonly data: Buffer }
  | { readonly type: "skipped"; readonly path: string; readonly reason: string }
  /** A file of the workspace that is not what was put in. */
  | { readonly type: "returned"; readonly path: string; readonly size: number; readonly executable: boolean }
  /** What was put in and is not there any more; folders of a tree among it: nothing of what that had in there is left. */
  | { readonly type: "gone"; readonly paths: readonly string[] }
  /** That was all that has changed, or, when not `whole`, only a part of it; so many entries are no files. */
  | { readonly type: "left"; readonly whole: boolean; readonly skipped: number }
  | SandboxExit;

/** A sandbox at work. Its events end with `exit`, or throw a {@link SandboxError}. */
export interface SandboxRun {
  readonly tier: string;
  /** What holds it, as {@link TierReport} has it. */
  readonly walls: readonly string[];
  readonly limits: EffectiveLimits;
  readonly events: AsyncIterable<SandboxEvent>;
  /**
   * A connection to a port that the program listens on, on its loopback. Rejects with a `PortUnreachableError` when nobody listens, when
   * the run has ended, and for runs that have neither a network nor `ports`.
   */
  connect(port: number): Promise<Duplex>;
  /** What it did with its network so far; null for a run without one. */
  network(): NetworkUsage | null;
  /** SIGTERM to every process, and after the grace time an end with reason `cancelled`. */
  cancel(graceMs: number): void;
}

/** What a tier can do on this machine. */
export interface TierReport {
  readonly tier: string;
  readonly available: boolean;
  readonly reason: string | null;
  /** The machine refuses one of its walls. */
  readonly refusal?: Refusal;
  readonly walls: readonly string[];
  readonly limits: Readonly<Record<LimitName, Enforcer>>;
  /** How a sandbox gets many files: an overlay of what lies ready, whatever their number, or a copy of each; why not the former. Null: not known. */
  readonly files: { readonly by: "overlay" | "copies"; readonly reason: string | null } | null;
}

/** The sandboxes that a tier keeps for one purpose: runs of a runtime or of any that starts afresh, with a network or without. */
export interface PoolReport {
  readonly kind: string;
  /** Jails that belong to nobody yet, and how many there should be. */
  readonly spares: number;
  readonly wantedSpares: number;
  readonly jails: readonly {
    readonly tenant: string;
    readonly slots: number;
    /** Of the slots: those that wait for a run, and those that have one. */
    readonly ready: number;
    readonly busy: number;
    readonly wantedSlots: number;
    /** Milliseconds since the epoch. */
    readonly usedAt: number;
  }[];
}

/** A way to isolate runs. */
export interface Tier {
  readonly name: string;
  report(): Promise<TierReport>;
  /** Takes a sandbox and starts the run in it. Rejects with a {@link SandboxError} when none can be had in time. */
  start(spec: SandboxSpec): Promise<SandboxRun>;
  /** Opens a sandbox that outlives any process in it. Rejects like `start`. */
  open(spec: SessionSpec): Promise<Session>;
  /** Makes sandboxes ahead for runtimes that will be wanted, and for those that are opened. More may come later. */
  warm(runtimes: readonly RuntimeSpec[]): void;
  /** Ends what is kept ready for a tenant who will not come again. */
  dismiss(tenant: string): void;
  pools(): readonly PoolReport[];
  /** Ends every sandbox and leaves nothing behind. */
  stop(): Promise<void>;
}

/** A long-lived sandbox. */
export interface SessionSpec {
  readonly tenant: string;
  readonly runtime: RuntimeSpec;
  readonly env: Readonly<Record<string, string>>;
  readonly tree?: InputTree;
  readonly files: Iterable<InputEntry> | AsyncIterable<InputEntry>;
  readonly layers?: readonly string[];
  /** The Python, as it is found inside, that its contexts are made of; the system's when left out. */
  readonly python?: string;
  /** Folders of programs that come before the usual ones. */
  readonly path?: readonly string[];
  /** `wallMs` is the hard end; `outputBytes` does not count: output is a stream here. */
  readonly limits: SandboxLimits;
  /** What its programs may reach; nothing when left out. Its ports can be reached in any case. */
  readonly network?: NetworkPolicy;
  /** What the gateway knows it by; without one, it is reached by nobody in here. */
  readonly gatewayToken?: string;
}

export type SandboxErrorCode = "no_capacity" | "sandbox_failed" | "tier_unavailable" | "network_unavailable";

/** The sandbox could not do its part; the program is not to blame. */
export class SandboxError extends Error {
  override readonly name = "SandboxError";
  readonly code: SandboxErrorCode;

  constructor(code: SandboxErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
