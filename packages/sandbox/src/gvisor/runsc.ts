import { existsSync, lstatSync, mkdirSync, readlinkSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { RuntimeSpec } from "../spec.ts";
import { hostFiles, layersFolder, namespaceWords, sessionFiles, systemWords } from "../wall.ts";

/** gVisor's command line and its bundle, and the jail that it runs in. */

/** How a kernel of gVisor's meets the system calls of its programs. `systrap` is the faster one, `ptrace` is in every version. */
export type GvisorPlatform = "systrap" | "ptrace";

/** In the jail around it: where the folder of this container is. */
const box = "/box";
const systemFolders = ["bin", "sbin", "lib", "lib32", "lib64", "libx32"];
const tmpOptions = "mode=1777,size=64m";
/**
 * The user of everything in there: the only one whose files can be kept outside, where there is one as well. Without a capability it is a user like any other.
 */
const insideUser = 0;

export interface ContainerSpec {
  readonly runsc: string;
  readonly platform: GvisorPlatform;
  /** Of this container alone, on the host. */
  readonly folder: string;
  readonly runtime: RuntimeSpec;
  readonly session: boolean;
  readonly hasLayers: boolean;
  /** The agent's command line. */
  readonly words: readonly string[];
}

/**
 * The command line of bubblewrap around gVisor. It sees what a jail of the namespace tier sees, and shows a part of it. `locate` says where a folder of ours
 * is: `etc`, `agent`, `box`, `layers`, and those of the runtime.
 */
export function jailWords(spec: ContainerSpec, locate: (name: string) => string): string[] {
  const words = [...namespaceWords("gvisor"), ...systemWords(locate("etc"), spec.session ? [...hostFiles, ...sessionFiles] : hostFiles)];
  words.push("--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--ro-bind", locate("agent"), "/agent", "--bind", locate("box"), box);
  words.push("--ro-bind", `${locate("box")}/rootfs`, `${box}/rootfs`);
  spec.runtime.mounts.forEach(({ target }, index) => words.push("--ro-bind", locate(`mount-${index}`), target));
  if (spec.hasLayers) words.push("--ro-bind", locate("layers"), layersFolder);
  words.push("--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--chdir", box);
  return [...words, "--", spec.runsc, ...runscWords(spec.platform)];
}

/** No network, no groups of its own, nothing kept. */
function runscWords(platform: GvisorPlatform): string[] {
  const flags = ["--rootless", "--network=none", "--ignore-cgroups", `--platform=${platform}`, `--root=${box}/state`];
  return [...flags, "run", `--bundle=${box}`, "sandbox"];
}

/** Makes the container's folder: its root with nothing in it but places, and what runsc reads. */
export function makeBundle(spec: ContainerSpec): void {
  const at = (...names: string[]) => join(spec.folder, ...names);
  for (const name of ["state", "rootfs", "workspace", "output"]) mkdirSync(at(name), { recursive: true, mode: 0o755 });
  const mounts = mountsOf(spec);
  for (const { destination, isFile } of mounts) {
    const place = at("rootfs", destination);
    mkdirSync(isFile ? dirname(place) : place, { recursive: true });
    if (isFile) writeFileSync(place, "");
  }
  for (const name of systemFolders) if (isLink(`/${name}`)) symlinkSync(readlinkSync(`/${name}`), at("rootfs", name));
  writeFileSync(at("config.json"), JSON.stringify(renderConfig(spec, mounts)));
}

interface Mount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
  readonly isFile: boolean;
}

function mountsOf({ runtime, session, hasLayers }: ContainerSpec): Mount[] {
  const shown = (path: string, isFile = false): Mount => ({
    destination: path,
    type: "bind",
    source: path,
    options: ["rbind", "ro", "nosuid", "nodev"],
    isFile,
  });
  const own = (name: string): Mount => ({
    destination: `/${name}`,
    type: "bind",
    source: `${box}/${name}`,
    options: ["bind", "rw", "nosuid", "nodev"],
    isFile: false,
  });
  const memory = (destination: string, options: string): Mount => ({
    destination,
    type: "tmpfs",
    source: "tmpfs",
    options: ["nosuid", "nodev", ...options.split(",")],
    isFile: false,
  });
  return [
    { destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "nodev", "noexec"], isFile: false },
    memory("/dev", "mode=755,size=64k"),
    memory("/dev/shm", tmpOptions),
    ...(session
      ? [{ destination: "/dev/pts", type: "devpts", source: "devpts", options: ["newinstance", "ptmxmode=0666"], isFile: false }]
      : []),
    memory("/tmp", tmpOptions),
    ...["usr", ...systemFolders]
      .map((name) => `/${name}`)
      .filter((path) => existsSync(path) && !isLink(path))
      .map((path) => shown(path)),
    shown("/etc"),
    shown("/agent"),
    ...(session ? [{ ...shown("/run/syla"), source: "/agent/contexts" }] : []),
    ...runtime.mounts.map(({ source, target }) => shown(target, existsSync(source) && !lstatSync(source).isDirectory())),
    ...(hasLayers ? [shown(layersFolder)] : []),
    own("workspace"),
    own("output"),
  ];
}

/** As the runtime specification of the Open Container Initiative has it. */
function renderConfig({ words }: ContainerSpec, mounts: readonly Mount[]): unknown {
  const none: string[] = [];
  return {
    ociVersion: "1.0.2",
    process: {
      terminal: false,
      user: { uid: insideUser, gid: insideUser },
      args: words,
      env: ["PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C.UTF-8"],
      cwd: "/",
      capabilities: { bounding: none, effective: none, permitted: none, inheritable: none, ambient: none },
      noNewPrivileges: true,
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 65_536, soft: 65_536 }],
    },
    root: { path: "rootfs", readonly: false },
    hostname: "sandbox",
    mounts: mounts.map(({ destination, type, source, options }) => ({ destination, type, source, options })),
    linux: { namespaces: ["pid", "ipc", "uts", "mount", "network"].map((type) => ({ type })) },
  };
}

function isLink(path: string): boolean {
  return existsSync(path) && lstatSync(path).isSymbolicLink();
}
