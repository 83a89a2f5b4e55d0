import type { ResourceType, ThingRef } from "@syla/sdk";
import { basePath } from "../app/api.ts";

const pages = { prog: "programs", model: "models", comp: "compositions", data: "datasets" };

/** The page of a thing. */
export function pageOf(type: ResourceType, id: string): string {
  if (type === "run") return `/runs/${id}`;
  if (type === "workspace") return `/workspaces/${id}`;
  if (type === "sandbox") return `/sandboxes/${id}`;
  return `/${pages[(id.split("_")[0] ?? "prog") as keyof typeof pages] ?? "programs"}/${id}`;
}

/** The same as a whole address, to be passed on. */
export function addressOf({ resourceType, resourceId }: ThingRef): string {
  return window.location.origin + basePath + pageOf(resourceType, resourceId);
}
