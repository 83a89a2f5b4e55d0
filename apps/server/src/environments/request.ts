import { hash } from "node:crypto";

/** Raised when this version builds something else of the same request than earlier ones did. */
const generation = 1;

export type Manager = "uv" | "npm" | "go";

/** What is to be built: files of the package manager's own, brought to the parts that count, and for whom. */
export interface EnvironmentRequest {
  readonly manager: Manager;
  readonly language: string;
  readonly runtimeVersion: string;
  /** What the dependencies were read from: `requirements`, `pyproject`, … */
  readonly source: string;
  /** As they were written, for people. */
  readonly dependencies: readonly string[];
  /** By name, for the folder that the package manager works in. */
  readonly files: Readonly<Record<string, string>>;
}

/** The machine that layers of this server fit. Binary packages are chosen by it. */
export const platform = `${process.platform}-${process.arch}`;

/** Equal for equal requests: the language's exact version, the machine, and every file. */
export function requestKeyOf({ manager, language, runtimeVersion, files }: EnvironmentRequest): string {
  const sorted = Object.entries(files).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return hash("sha256", JSON.stringify([generation, manager, language, runtimeVersion, platform, sorted]));
}

/** Equal for equal requests of programs that are built with the same owner's package indexes. */
export function scopedKeyOf(requestKey: string, scope: string): string {
  return hash("sha256", JSON.stringify([requestKey, scope]));
}

/** Equal for environments that hold the same. A request without a lock means what its first build of a day chose. */
export function environmentKeyOf(requestKey: string, request: EnvironmentRequest, day: string): string {
  return hash("sha256", JSON.stringify([requestKey, isLocked(request) ? null : day]));
}

const locks = ["lock.txt", "uv.lock", "package-lock.json", "npm-shrinkwrap.json", "go.sum"];

/** The request itself names exact versions. */
function isLocked({ files }: Pick<EnvironmentRequest, "files">): boolean {
  return locks.some((name) => files[name] !== undefined);
}
