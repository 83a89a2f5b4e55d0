import type { Queries } from "../../platform/database.ts";
import { exportParts, readPage } from "./store.ts";

/** Everything about a person as one JSON document, a piece at a time: there may be a million runs. */
export async function* exportPerson(queries: Queries, userId: string): AsyncGenerator<string> {
  yield `{"exportedAt":${JSON.stringify(new Date().toISOString())}`;
  for (const part of exportParts) {
    yield `,\n${JSON.stringify(part.name)}:[`;
    for (let after = "", first = true; ;) {
      const rows = await readPage(queries, part, userId, after);
      for (const { row } of rows) {
        yield `${first ? "" : ","}\n${JSON.stringify(row)}`;
        first = false;
      }
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
    }
    yield "]";
  }
  yield "}\n";
}
