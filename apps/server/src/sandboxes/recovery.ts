import type { Work } from "../platform/database.ts";
import { markSandboxesLost } from "./store.ts";

/** What becomes of the sandboxes of a server that is gone: they ended with it. */
export async function recoverSandboxes(work: Work, workerId: string): Promise<void> {
  await markSandboxesLost(work, workerId);
}
