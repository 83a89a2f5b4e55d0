import { spawn, type ChildProcess, type StdioOptions } from "node:child_process";
import { existsSync, lstatSync, readlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { agentSource } from "./agent-code.ts";
import type { JailCgroup } from "./cgroups.ts";
import { connectionsPerRun, relayPort } from "./egress/environment.ts";
import type { JailRuntime } from "./jail-kind.ts";
import type { RuntimeSpec } from "./spec.ts";

/** The outer wall: one bubblewrap jail, as the command line that makes it. */

export const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const systemFolders = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
/** Facts of the host that programs need and that are no secrets. */
export const hostFiles = [
  "/etc/ssl/certs",
  "/etc/ssl/openssl.cnf",
  "/etc/ca-certificates",
  "/etc/pki/tls",
  "/etc/alternatives",
  "/etc/ld.so.cache",
  "/etc/mime.types",
  "/etc/fonts",
];
/** Those that long-lived sandboxes have besides: Debian keeps the settings of a plotting library there. */
export const sessionFiles = ["/etc/matplotlibrc"];
const ownFiles = ["passwd", "group", "hosts", "hostname", "nsswitch.conf", "resolv.conf"];
/** A public folder that every Linux has, hidden by the staging mount in a mount namespace of its own. */
const stageFolders = ["/mnt", "/media", "/srv", "/opt"];

/** Where programs find built dependencies. */
export const layersFolder = "/layers";

/** Where the agent finds trees; no program does. */
const treesFolder = "/trees";

/** The programs that the walls are made of. */
export interface WallPrograms {
  readonly bwrap: string;
  readonly python: string;
}

/** What a jail is made of. `uid` is the host user that it runs as; null means the server's own. */
export interface WallSpec {
  readonly programs: WallPrograms;
  readonly runtime: JailRuntime;
  /** A compiled copy of the agent; its source when left out. */
  readonly agent?: string;
  /** The host folder that becomes `/jail`: the agent's socket and the slots' files. */
  readonly folder: string;
  /** The host folder that becomes `/layers`: each run finds the one below it whose name it is told, and cannot list the others. */
  readonly layers?: string;
  /** The host folder whose folders can be a run's files; whoever knows the name of one may have it. */
  readonly trees?: string;
  readonly uid: number | null;
  readonly cgroup: JailCgroup | null;
  /** Its slots have a relay to the host. */
  readonly networked?: boolean;
  /** For a long-lived sandbox: runs the session daemon instead of programs. */
  readonly session: boolean;
  /** After so long without anything happening a sandbox gives most of its memory back; null: never. */
  readonly quietMs?: number | null;
  /** Equal pages of its processes may be kept once, with those of other jails. */
  readonly merge?: boolean;
  /** System calls that the filter refuses here on top of the list. */
  readonly denied: readonly string[];
}

/** What an agent is made of: of a jail, or of a machine that is one. */
export interface AgentSpec extends Pick<
  WallSpec,
  "programs" | "runtime" | "layers" | "session" | "networked" | "quietMs" | "merge" | "denied"
> {
  /** As {@link JailCgroup} has them. */
  readonly slotProcs: readonly string[];
}

/** Where a host path of the runtime is found inside: below one of its mounts, else where it is. */
export function pathInside(runtime: Pick<RuntimeSpec, "mounts">, path: string): string {
  const mount = runtime.mounts.find(({ source }) => path === source || path.startsWith(`${source}/`));
  return mount === undefined ? path : mount.target + path.slice(mount.source.length);
}

/**
 * Starts the jail, in a process group of its own. A toolchain that was taken away is missing in it, and takes nothing else with it. Its standard input takes the zygote's commands; its standard error is for people.
 */
export function spawnWall(wish: WallSpec): ChildProcess {
  const spec = { ...wish, runtime: { ...wish.runtime, mounts: wish.runtime.mounts.filter(({ source }) => existsSync(source)) } };
  const { programs, uid, cgroup } = spec;
  const entry = { programs, uid, groups: cgroup?.agentProcs ?? [], binds: ownBinds(spec), owned: ["trees"] };
  return spawnBubblewrap(entry, (locate) => bwrapArguments(spec, locate));
}

/** How bubblewrap is started as an ordinary user, whoever the server is. */
export interface BubblewrapEntry {
  readonly programs: WallPrograms;
  /** The host user; null: the server's own. */
  readonly uid: number | null;
  /** `cgroup.procs` files that its first process joins. */
  readonly groups: readonly string[];
  /** Folders and files of ours by the name under which the command line refers to them. */
  readonly binds: ReadonlyMap<string, string>;
  /** Names of those whose files are to be the user's own. */
  readonly owned?: readonly string[];
  /** A file that is open as descriptor 3 in there. */
  readonly input?: number;
  /** Somebody reads its standard output. */
  readonly output?: boolean;
  /** Devices that the user gets as its own. */
  readonly devices?: ReadonlyMap<string, string>;
}

/** `words`: the command line, given where a name is found. */
export function spawnBubblewrap(entry: BubblewrapEntry, words: (locate: (name: string) => string) => readonly string[]): ChildProcess {
  const { programs, uid, groups, binds, owned = [], devices = new Map<string, string>() } = entry;
  const stdio: StdioOptions = [
    "pipe",
    entry.output === true ? "pipe" : "ignore",
    "pipe",
    ...(entry.input === undefined ? [] : [entry.input]),
  ];
  const options = { stdio, env: {}, cwd: "/", detached: true };
  if (uid === null) {
    const child = spawn(
      programs.bwrap,
      words((name) => binds.get(name) ?? devices.get(name) ?? name),
      options,
    );
    for (const path of child.pid === undefined ? [] : groups) writeFileSync(path, String(child.pid));
    return child;
  }
  const stage = stageFolders.find((folder) => existsSync(folder)) ?? "/tmp";
  const wish = {
    stage,
    binds: [...binds].map(([name, source]) => [source, name]),
    devices: [...devices].map(([name, source]) => [source, name]),
    owned,
    uid,
    cgroups: groups,
    argv: [programs.bwrap, ...words((name) => join(stage, name))],
  };
  return spawn(programs.python, ["-I", "-S", join(packageFolder, "host/enter.py"), JSON.stringify(wish)], options);
}

/** Our own folders and files by the name under which the jail's command line refers to them. */
function ownBinds(spec: WallSpec): Map<string, string> {
  const binds = new Map([
    ["agent", spec.agent ?? agentSource],
    ["etc", join(packageFolder, "etc")],
    ["jail", spec.folder],
  ]);
  if (spec.layers !== undefined) binds.set("layers", spec.layers);
  if (spec.trees !== undefined) binds.set("trees", spec.trees);
  spec.runtime.mounts.forEach(({ source }, index) => binds.set(`mount-${index}`, source));
  for (const [source, name] of spec.cgroup?.binds ?? []) binds.set(name, source);
  return binds;
}

function bwrapArguments(spec: WallSpec, locate: (name: string) => string): string[] {
  const words = namespaceWords("jail");
  words.push(...systemWords(locate("etc"), spec.session ? [...hostFiles, ...sessionFiles] : hostFiles));
  words.push("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--dir", "/newroot");
  words.push("--ro-bind", locate("agent"), "/agent", "--bind", locate("jail"), "/jail");
  spec.runtime.mounts.forEach(({ target }, index) => words.push("--ro-bind", locate(`mount-${index}`), target));
  if (spec.layers !== undefined) words.push("--ro-bind", locate("layers"), layersFolder);
  if (spec.trees !== undefined) words.push("--ro-bind", locate("trees"), treesFolder);
  for (const [, name] of spec.cgroup?.binds ?? []) words.push("--bind", locate(name), `/${name}`);
  words.push("--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "LANG", "C.UTF-8");
  return [...words, "--", ...agentWords({ ...spec, slotProcs: spec.cgroup?.slotProcs ?? [] })];
}

/** Namespaces of its own, no privileges, and an end with whoever started it. */
export function namespaceWords(host: string): string[] {
  const namespaces = ["user", "pid", "net", "ipc", "uts", "cgroup-try"].map((name) => `--unshare-${name}`);
  return [...namespaces, "--uid", "1000", "--gid", "1000", "--die-with-parent", "--new-session", "--hostname", host];
}

/** What of the system a jail shows, as bubblewrap is told. `etc`: the host folder of our own files; `files`: of the host's; `root`: below which folder. */
export function systemWords(etc: string, files: readonly string[], root = ""): string[] {
  const words = [
    "--ro-bind",
    "/usr",
    `${root}/usr`,
    ...systemFolders.flatMap((name) => showSystemFolder(name, root)),
    "--dir",
    `${root}/etc`,
  ];
  for (const name of ownFiles) words.push("--ro-bind", join(etc, name), `${root}/etc/${name}`);
  for (const path of files) if (existsSync(path)) words.push("--ro-bind", path, `${root}${path}`);
  return words;
}

/** How the agent of a jail is started, as it is found in there. */
export function agentWords(spec: AgentSpec): string[] {
  const forks = spec.runtime.pooling === "fork" && !spec.session;
  // Only an interpreter that programs are forked from looks for what is installed beside its standard library.
  const interpreter = forks ? [pathInside(spec.runtime, spec.runtime.binary)] : [spec.programs.python, "-E", "-S"];
  return [...interpreter, "/agent/agent.py", JSON.stringify(agentSettings(spec))];
}

function showSystemFolder(name: string, root: string): string[] {
  const path = `/${name}`;
  if (!existsSync(path)) return [];
  const target = `${root}${path}`;
  return lstatSync(path).isSymbolicLink() ? ["--symlink", readlinkSync(path), target] : ["--ro-bind", path, target];
}

/** The variables that every program of a runtime has. */
export function baseVariables(runtime: Pick<RuntimeSpec, "env">): Record<string, string> {
  return { PATH: "/usr/local/bin:/usr/bin:/bin", HOME: "/tmp", LANG: "C.UTF-8", ...runtime.env };
}

function bootOf(runtime: JailRuntime): unknown {
  if (runtime.pooling !== "preboot" || runtime.bootCommand === undefined) return null;
  const argv = runtime.bootCommand.map((word) => word.replace("{binary}", () => pathInside(runtime, runtime.binary)));
  return { argv, env: baseVariables(runtime) };
}

/** What `agent/payload.py` reads as its settings. */
function agentSettings(spec: AgentSpec): unknown {
  const folders = ["usr", ...systemFolders.filter((name) => existsSync(`/${name}`)), "etc"];
  if (spec.layers !== undefined) folders.push(layersFolder.slice(1));
  return {
    fork: spec.runtime.pooling === "fork" && !spec.session,
    env: baseVariables(spec.runtime),
    boot: spec.session ? null : bootOf(spec.runtime),
    session: spec.session,
    preimport: spec.session ? [] : spec.runtime.preimport,
    cgroups: spec.slotProcs,
    denied: spec.denied,
    merge: spec.merge === true,
    quietMs: spec.quietMs ?? null,
    network: spec.networked === true ? { port: relayPort, connections: connectionsPerRun } : null,
    root: [...new Set([...folders, ...spec.runtime.mounts.map(({ target }) => target.split("/")[1])])],
  };
}
