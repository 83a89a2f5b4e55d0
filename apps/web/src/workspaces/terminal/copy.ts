import type { SandboxHandle, TreeChanges, TreeFile, Workspace } from "@syla/sdk";
import { syla } from "../../app/api.ts";

const minuteMs = 60_000;
/** Where a sandbox keeps what its copy was made of. */
const basePath = "/tmp/.syla-workspace.json";
const sumsPath = "/tmp/.syla-sums";
const executablesPath = "/tmp/.syla-executables";
/** What tools make again, and history: it stays in the sandbox. */
const leftOut = [".git", "node_modules", "__pycache__", ".venv", "venv", ".pytest_cache", ".mypy_cache", ".ruff_cache"];
const uploadsAtOnce = 4;

type Entry = Pick<TreeFile, "path" | "sha256" | "executable">;

/** What the copy was made of. */
interface Base {
  readonly revision: number;
  readonly files: readonly (readonly [path: string, sha256: string, executable: boolean])[];
}

/** Opens a sandbox with a copy of the files, which ends by itself when nobody uses it. */
export async function openCopy({ id, name }: Pick<Workspace, "id" | "name">): Promise<string> {
  const { revision, items } = await syla.workspaces.files(id);
  const sandbox = await syla.sandboxes.create({
    workspaceId: id,
    name: `Terminal of ${name}`.slice(0, 100),
    idleTimeoutMs: 30 * minuteMs,
    hardEndMs: 12 * 60 * minuteMs,
  });
  const base: Base = { revision, files: items.map(({ path, sha256, executable }) => [path, sha256, executable]) };
  await sandbox.files.write(basePath, JSON.stringify(base));
  return sandbox.id;
}

/** What was changed in the copy since it was made, as changes of the revision that it is of; the new content is uploaded. */
export async function changesOf(sandbox: SandboxHandle): Promise<{ readonly changes: TreeChanges; readonly revision: number }> {
  const { revision, files } = JSON.parse(await readText(sandbox, basePath)) as Base;
  const before = new Map(files.map(([path, sha256, executable]) => [path, { path, sha256, executable }]));
  const now = await listFiles(sandbox);
  const changed = [...now.values()].filter((file) => {
    const was = before.get(file.path);
    return was?.sha256 !== file.sha256 || was.executable !== file.executable;
  });
  const gone = [...before.keys()].filter((path) => !now.has(path) && !isLeftOut(path));
  const written = await upload(sandbox, changed);
  return { revision, changes: [...gone.map((path) => ({ op: "delete" as const, path })), ...written] };
}

function isLeftOut(path: string): boolean {
  return path
    .split("/")
    .slice(0, -1)
    .some((folder) => leftOut.includes(folder));
}

/** The files of the copy by path. Names that are no Unicode are none that a workspace has. */
async function listFiles(sandbox: SandboxHandle): Promise<ReadonlyMap<string, Entry>> {
  const pruned = leftOut.map((name) => `-name ${name}`).join(" -o ");
  const find = `find . -type d \\( ${pruned} \\) -prune -o -type f`;
  const command = `cd /workspace && ${find} -exec sha256sum -z -- {} + > ${sumsPath} && ${find} -perm -u+x -print0 > ${executablesPath}`;
  const { exitCode, stderr } = await sandbox.exec(["/bin/sh", "-c", command]);
  if (exitCode !== 0) throw new Error(`The files of the terminal could not be read: ${stderr.trim().slice(0, 200)}`);
  const executables = new Set((await readText(sandbox, executablesPath)).split("\0"));
  const lines = (await readText(sandbox, sumsPath)).split("\0").filter((line) => line !== "");
  const entries = lines.map((line): Entry => {
    const path = line.slice(66);
    return { path: path.replace(/^\.\//, ""), sha256: line.slice(0, 64), executable: executables.has(path) };
  });
  return new Map(entries.filter(({ path }) => !path.includes("\ufffd")).map((entry) => [entry.path, entry]));
}

async function upload(sandbox: SandboxHandle, changed: readonly Entry[]): Promise<TreeChanges> {
  const waiting = [...changed];
  const changes: TreeChanges[number][] = [];
  const work = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const { sha256 } = await syla.blobs.upload(await (await sandbox.files.read(`/workspace/${file.path}`)).blob());
      changes.push({ op: "write", file: { path: file.path, blob: sha256, executable: file.executable } });
    }
  };
  await Promise.all(Array.from({ length: uploadsAtOnce }, work));
  return changes;
}

async function readText(sandbox: SandboxHandle, path: string): Promise<string> {
  return await (await sandbox.files.read(path)).text();
}
