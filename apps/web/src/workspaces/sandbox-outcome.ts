import type { Sandbox } from "@syla/sdk";

/** Why what was changed in a sandbox is not in its workspace; null when it is. */
export function sandboxOutcome(saved: Sandbox["saved"]): string | null {
  if (saved === null || saved.error === null) return null;
  if (saved.outcome === "kept_beside")
    return `It is version ${saved.version} of the workspace, and not in its files: ${saved.error.message}`;
  return `It is only in the sandbox: ${saved.error.message}`;
}
