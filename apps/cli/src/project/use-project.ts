import { dirname, join, relative, resolve } from "node:path";
import { statSync } from "node:fs";
import { note } from "../output/progress.ts";
import { plainLine } from "../output/terminal-text.ts";
import { findProjectFile } from "./find-project.ts";
import type { Project } from "./read-project.ts";

/** Flags that a project file may stand in for. */
export interface ProjectFlags {
  /** `--no-project`. */
  readonly project?: boolean;
}

interface RunFlags extends ProjectFlags {
  readonly language?: string;
  readonly entrypoint?: string;
  readonly env: readonly string[];
  readonly envFile: readonly string[];
  readonly timeout?: string;
  readonly resource: readonly string[];
  readonly network?: "none" | "gateway" | "full";
  readonly allowDomain?: readonly string[];
  readonly workspace?: string;
}

/** The project that a file or folder belongs to, or the current folder when none is named; null where there is none. @throws CliError */
export async function loadProject({ project: wanted }: ProjectFlags, target?: string): Promise<Project | null> {
  if (wanted === false) return null;
  const file = findProjectFile(folderOf(target));
  return file === null ? null : (await import("./read-project.ts")).readProject(file);
}

/** The project whose folder this is; null where there is none, or the file lies above. @throws CliError */
export async function loadOwnProject(flags: ProjectFlags, folder: string): Promise<Project | null> {
  const project = await loadProject(flags, folder);
  return project?.folder === resolve(folder) ? project : null;
}

function folderOf(target: string | undefined): string {
  if (target === undefined || target === "-") return process.cwd();
  return statSync(target, { throwIfNoEntry: false })?.isDirectory() === true ? target : dirname(resolve(target));
}

/** The flags, with what the project says where they say nothing. Its language is that of its entrypoint, not of its other files. */
export function fillFlags<Flags extends RunFlags>({ folder, settings }: Project, flags: Flags, startsEntrypoint: boolean): Flags {
  const { env = {}, env_file: files = [], resources: { timeout, ...limits } = {}, network, allow_domains: hosts, workspace } = settings;
  const saysNetwork = flags.network !== undefined || (flags.allowDomain ?? []).length > 0;
  const envFiles = [files].flat().map((file) => join(folder, file));
  return {
    ...flags,
    env: [...Object.entries(env).map(([name, value]) => `${name}=${value}`), ...flags.env],
    envFile: [...envFiles, ...flags.envFile],
    resource: [...Object.entries(limits).map(([name, value]) => `${name}=${value}`), ...flags.resource],
    ...(flags.timeout === undefined && timeout !== undefined && { timeout: String(timeout) }),
    ...(flags.language === undefined && settings.runtime !== undefined && startsEntrypoint && { language: settings.runtime }),
    ...(flags.entrypoint === undefined && settings.entrypoint !== undefined && startsEntrypoint && { entrypoint: settings.entrypoint }),
    ...(!saysNetwork && network !== undefined && { network }),
    ...(!saysNetwork && hosts !== undefined && { allowDomain: hosts }),
    ...(flags.workspace === undefined && workspace !== undefined && { workspace }),
  };
}

/** Its arguments, when none are given. */
export function fillArguments({ settings }: Project, args: readonly string[]): readonly string[] {
  return args.length > 0 ? args : (settings.args ?? []).map(String);
}

/** What a file, which may have come with somebody else's folder, lets a run reach is said. */
export function tellReach({ file, settings: { network, allow_domains: hosts, workspace } }: Project): void {
  const reach = [
    ...(hosts === undefined ? [] : [`the network: ${hosts.join(", ")}`]),
    ...(network === undefined || network === "none" ? [] : [`the network: ${network}`]),
    ...(workspace === undefined ? [] : [`the workspace ${workspace}`]),
  ];
  if (reach.length > 0) note(plainLine(`${relative(process.cwd(), file) || file} gives it ${reach.join(" and ")}`));
}
