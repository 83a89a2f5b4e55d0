import type { NotebookLanguage } from "@syla/contracts/notebook";
import { type Sandbox, type SandboxContextEvent, SylaError } from "@syla/sdk";
import { syla } from "../app/api.ts";

const pollMs = 400;

/** An interpreter that a notebook runs in: a context of one's sandbox in the workspace. */
export interface Kernel {
  readonly sandboxId: string;
  readonly contextId: string;
  /** It was started just now: it knows nothing yet. */
  readonly isNew: boolean;
}

/** What the contexts of a notebook are called. */
const kernelName = (path: string) => `notebook ${path}`;

/** The kernel of a notebook that lives already; null when there is none. Wakes nothing. */
export async function findKernel(workspaceId: string, path: string, language: NotebookLanguage): Promise<Kernel | null> {
  const { sandbox } = await syla.workspaces.sandbox.get(workspaceId);
  if (sandbox === null || sandbox.endedAt !== null || sandbox.status === "starting") return null;
  return await findContext(sandbox.id, path, language);
}

/** The kernel of a notebook; started, with the sandbox, where there is none. `onWait` is told while the sandbox starts. */
export async function openKernel(workspaceId: string, path: string, language: NotebookLanguage): Promise<Kernel> {
  const sandbox = await readySandbox(workspaceId, language);
  const found = await findContext(sandbox.id, path, language);
  if (found !== null) return found;
  const made = await syla.sandboxes.open(sandbox.id).contexts.create(language, { name: kernelName(path), cwd: folderOf(path) });
  return { sandboxId: sandbox.id, contextId: made.id, isNew: true };
}

/** Runs code; a sandbox that somebody has paused goes on for it. */
export async function* runInKernel({ sandboxId, contextId }: Kernel, code: string): AsyncGenerator<SandboxContextEvent, void, void> {
  const sandbox = syla.sandboxes.open(sandboxId);
  try {
    yield* sandbox.contexts.run(contextId, code);
  } catch (error) {
    if (!(error instanceof SylaError) || error.code !== "sandbox_paused") throw error;
    await sandbox.resume();
    yield* sandbox.contexts.run(contextId, code);
  }
}

/** Fetches what was changed in the workspace: the code of a cell may be about it. What cannot be fetched now comes later. @returns its revision */
export async function fetchFiles({ sandboxId }: Kernel): Promise<number | null> {
  const { saved } = await syla.sandboxes
    .open(sandboxId)
    .save()
    .catch((error: unknown) => (isGone(error) ? Promise.reject(error) : { saved: null }));
  return saved?.revision ?? null;
}

export async function steerKernel({ sandboxId, contextId }: Kernel, action: "interrupt" | "restart"): Promise<void> {
  await syla.sandboxes.open(sandboxId).contexts[action](contextId);
}

/** Whether a kernel, or its sandbox, is no more. */
export function isGone(error: unknown): boolean {
  return error instanceof SylaError && (error.code === "sandbox_ended" || error.code === "not_found");
}

async function readySandbox(workspaceId: string, language: NotebookLanguage): Promise<Sandbox> {
  let { sandbox } = await syla.workspaces.sandbox.start(workspaceId, { language: language === "python" ? "python" : "node" });
  while (sandbox?.status === "starting") {
    await new Promise((resolve) => setTimeout(resolve, pollMs));
    sandbox = await syla.sandboxes.get(sandbox.id);
  }
  if (sandbox === null || sandbox.endedAt !== null)
    throw new Error(sandbox?.error?.message ?? `The sandbox has ended (${(sandbox?.endReason ?? "unknown").replaceAll("_", " ")}).`);
  return sandbox.pauseReason === "user" ? await syla.sandboxes.open(sandbox.id).resume() : sandbox;
}

async function findContext(sandboxId: string, path: string, language: NotebookLanguage): Promise<Kernel | null> {
  const contexts = await syla.sandboxes
    .open(sandboxId)
    .contexts.list()
    .catch((error: unknown) => (isGone(error) ? [] : Promise.reject(error)));
  const found = contexts.find((context) => context.name === kernelName(path) && context.language === language);
  return found === undefined ? null : { sandboxId, contextId: found.id, isNew: false };
}

/** Code begins where its notebook is, as in Jupyter. */
function folderOf(path: string): string {
  const at = path.lastIndexOf("/");
  return at < 0 ? "." : path.slice(0, at);
}
