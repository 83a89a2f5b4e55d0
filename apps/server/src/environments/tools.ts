import { existsSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";
import { AppError } from "@syla/contracts/errors";
import type { Runtime } from "@syla/contracts/runtimes";
import type { RuntimeSpec } from "@syla/sandbox/spec";
import { pathInside } from "@syla/sandbox/wall";
import type { InstalledRuntime } from "../runtimes/service.ts";
import type { Manager } from "./request.ts";

/** Where package managers may be on this machine. */
export interface ToolFolders {
  readonly home: string;
  /** Where `syla runtimes install` puts things. */
  readonly runtimes: string;
  /** The uv that the operator names. */
  readonly uv: string | undefined;
}

/** A package manager as a sandbox finds it. Paths are those inside. */
export interface BuildTool {
  readonly mounts: RuntimeSpec["mounts"];
  readonly tool: string;
  /** The interpreter or compiler that it installs for. */
  readonly interpreter: string;
}

/** The package manager of a language. Null: programs of it have no environments. */
export function managerOf(language: string): Manager | null {
  return language === "python" ? "uv" : language === "node" ? "npm" : language === "go" ? "go" : null;
}

/** @throws AppError `environment_unavailable` */
export function findTool(manager: Manager, runtime: InstalledRuntime, folders: ToolFolders): BuildTool {
  const { spec, compiler, definition } = runtime;
  if (spec === null) throw new AppError("environment_unavailable", { message: `${definition.title} is not installed on this server.` });
  const interpreter = pathInside(spec, compiler ?? spec.binary);
  if (manager === "go") return { mounts: spec.mounts, tool: interpreter, interpreter };
  const source = manager === "uv" ? findUv(folders) : findNpm(folders);
  if (source === undefined)
    throw new AppError("environment_unavailable", {
      message: `This server has no ${manager}, which builds the dependencies of ${definition.title} programs.`,
      hint: `An administrator can install it: ${installHints[manager]}`,
    });
  if (source.startsWith("/usr/")) return { mounts: spec.mounts, tool: source, interpreter };
  const target = `/opt/tools/${manager}`;
  return { mounts: [...spec.mounts, { source, target }], tool: target, interpreter };
}

const installHints: Readonly<Record<Manager, string>> = {
  uv: "syla runtimes install uv",
  npm: "apt-get install npm, or the same with your package manager",
  go: "comes with Go",
};

/** What installs the packages of a language, and how to get it. */
export function packagesOf({ name, available }: Pick<Runtime, "name" | "available">, folders: ToolFolders): Runtime["packages"] {
  const manager = managerOf(name);
  if (manager === null) return null;
  const isThere = manager === "go" ? available : (manager === "uv" ? findUv(folders) : findNpm(folders)) !== undefined;
  return { manager, available: isThere, install: isThere ? null : installHints[manager] };
}

/** The host path of uv. */
export function findUv({ home, runtimes, uv }: ToolFolders): string | undefined {
  const places = [uv, join(runtimes, "uv/uv"), "/usr/local/bin/uv", "/usr/bin/uv", join(home, ".local/bin/uv")];
  const found = places.find((path) => path !== undefined && existsSync(path));
  return found === undefined ? undefined : realpathSync(found);
}

/** npm's own folder: the system's, or the one beside the Node.js of the server. */
function findNpm({ runtimes }: ToolFolders): string | undefined {
  const beside = join(dirname(dirname(realpathSync(process.execPath))), "lib/node_modules/npm");
  return [
    join(runtimes, "npm/node_modules/npm"),
    "/usr/lib/node_modules/npm",
    "/usr/local/lib/node_modules/npm",
    "/usr/share/nodejs/npm",
    beside,
  ].find((path) => existsSync(join(path, "bin/npm-cli.js")));
}
