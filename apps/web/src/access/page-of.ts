import type { ResourceType } from "@syla/sdk";

const pages = { prog: "programs", model: "models", data: "datasets" };

/** The page of a thing. */
export function pageOf(type: ResourceType, id: string): string {
  if (type === "run") return `/runs/${id}`;
  if (type === "workspace") return `/workspaces/${id}`;
  if (type === "sandbox") return `/sandboxes/${id}`;
  return `/${pages[(id.split("_")[0] ?? "prog") as keyof typeof pages] ?? "programs"}/${id}`;
}
