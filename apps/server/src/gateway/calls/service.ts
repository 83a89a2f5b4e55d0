import type { CallBook } from "../../models/service.ts";
import type { Queries } from "../../platform/database.ts";
import { readCursor, toPage } from "../../platform/page-cursor.ts";
import { sentOf, toCall, toTotals } from "./presenter.ts";
import * as store from "./store.ts";

/** What was written down of calls. Who may read it is decided before. */
export function createCallBook(queries: Queries): CallBook {
  return {
    async usage(modelId, since) {
      const [days, total, people, programs] = await Promise.all([
        store.sumByDay(queries, modelId, since),
        store.sumOfModel(queries, modelId, since),
        store.sumByPerson(queries, modelId, since),
        store.sumByProgram(queries, modelId, since),
      ]);
      const named = ({ id, name, ...row }: store.TotalsRow & { id: string; name: string | null }) => ({
        ...toTotals(row),
        id,
        name: name ?? id,
      });
      return {
        days: days.map(({ day, ...row }) => ({ ...toTotals(row), day })),
        total: toTotals(total),
        people: people.map(named),
        programs: programs.map(named),
      };
    },
    async ofModel(modelId, userId, { cursor, limit }) {
      const rows = await store.listCalls(queries, { modelId, userId, after: readCursor(cursor), limit });
      return toPage(rows, limit, (row) => row.id, toCall);
    },
    async one(modelId, id) {
      const row = id.includes("\0") ? undefined : await store.findCall(queries, modelId, id);
      if (row === undefined) return undefined;
      const { request_text: request, response_text: response, request_sha256: requestSha256, response_sha256: responseSha256 } = row;
      return { ...toCall(row), request, response, requestSha256, responseSha256 };
    },
    async ofNodes(runId, paths) {
      return (await store.sumOfNodes(queries, runId, paths ?? null)).map(({ path, ...row }) => ({ path, total: toTotals(row) }));
    },
    async within(runId, path) {
      return toTotals(await store.sumWithin(queries, runId, path));
    },
    async traced(runId, limit) {
      const [rows, total] = await Promise.all([store.listCalls(queries, { runId, after: null, limit }), store.sumOfRun(queries, runId)]);
      return { calls: rows.slice(0, limit).map((row) => ({ ...toCall(row), sent: sentOf(row) })), total: toTotals(total) };
    },
    async ofRun(runId, { cursor, limit }) {
      const rows = await store.listCalls(queries, { runId, after: readCursor(cursor), limit });
      return { ...toPage(rows, limit, (row) => row.id, toCall), total: toTotals(await store.sumOfRun(queries, runId)) };
    },
  };
}
