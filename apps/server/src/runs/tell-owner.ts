import type { Queries } from "../platform/database.ts";
import { notify, wasToldOften } from "../notifications/service.ts";
import type { RunRow } from "./store.ts";

const longMs = 60_000;

const words: Partial<Record<RunRow["status"], string>> = { succeeded: "succeeded", failed: "failed", timed_out: "ran out of time" };

/** Tells the owner of a run that has ended, when it took long or failed while nobody waited for it. */
export async function tellOwner(queries: Queries, row: RunRow, watched: boolean): Promise<void> {
  const ended = words[row.status];
  if (ended === undefined || watched) return;
  const ms = (row.finished_at ?? new Date()).getTime() - (row.started_at ?? row.created_at).getTime();
  if (row.status === "succeeded" && ms <= longMs) return;
  // Who lets a thousand runs fail by a program has another way to see them.
  if (await wasToldOften(queries, row.owner_id, "run_finished")) return;
  const failure: { readonly message?: unknown } | null = row.error;
  const body = typeof failure?.message === "string" ? failure.message.slice(0, 1000) : `It took ${Math.round(ms / 1000)} s.`;
  await queries.transaction().execute((work) =>
    notify(work, {
      userId: row.owner_id,
      type: "run_finished",
      title: `${row.entrypoint} ${ended}`,
      body,
      link: `/runs/${row.id}`,
      details: { runId: row.id, status: row.status },
    }),
  );
}
