import { findHolders } from "../access/sharing/service.ts";
import { notifyEach, wasToldOften } from "../notifications/service.ts";
import type { Work } from "../platform/database.ts";
import { runConfigs } from "../runs/service.ts";
import * as store from "./store.ts";

/** So many of what waits are named. */
const mostNamed = 3;
const mostListed = 20;

/** Tells those who may decide that a run waits for them, in the transaction in which it begins to wait. */
export async function tellWaiting(
  work: Work,
  run: { readonly id: string; readonly owner_id: string; readonly config: object },
): Promise<void> {
  const nodes = await store.listWaiting(work, run.id);
  if (nodes.length === 0) return;
  const name = runConfigs.parse(run.config).composition?.name ?? "A composition";
  const people: string[] = [];
  for (const userId of await findHolders(work, "run", run.id, run.owner_id, "edit"))
    if (!(await wasToldOften(work, userId, "approval_needed"))) people.push(userId);
  await notifyEach(work, people, {
    type: "approval_needed",
    title: `${name} waits for a decision`,
    body: wordsOf(nodes),
    link: `/runs/${run.id}`,
    details: { runId: run.id, nodes: nodes.slice(0, mostListed).map(({ path }) => path) },
  });
}

function wordsOf(nodes: readonly Pick<store.NodeRow, "path" | "message">[]): string {
  const named = nodes.slice(0, mostNamed).map(({ path, message }) => (message ?? path).slice(0, 300));
  const more = nodes.length - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}
