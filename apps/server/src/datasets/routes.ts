import { Readable } from "node:stream";
import { datasetRoutes as routes } from "@syla/contracts/datasets";
import type { Http } from "../access/http.ts";
import { answer } from "../platform/http-call.ts";
import { etagOf, readRevision, withEtag } from "../platform/revision.ts";
import type { Datasets } from "./service.ts";

const mediaTypes = { csv: "text/csv; charset=utf-8", jsonl: "application/jsonl" } as const;

/** Binds what is particular to datasets. */
export function registerDatasetRoutes(http: Http, datasets: Datasets): void {
  http.bind(routes.createDataset, async ({ query, body }, call) => {
    const made = await datasets.create(call.actor, body as Readable, query);
    Object.assign(call.trail, { resourceId: made.id, details: { name: made.name } });
    return answer(201, made, { ...etagOf(made), location: `/api/v1/assets/${made.id}` });
  });
  http.bind(routes.replaceDatasetContent, async ({ params, query, headers, body }, call) => {
    const changed = await datasets.replace(call.actor, params.id, body as Readable, query, readRevision(headers));
    call.trail.details = { version: changed.version };
    return withEtag(changed);
  });
  http.bind(routes.splitDataset, async ({ params, headers, body }, call) => {
    const changed = await datasets.split(call.actor, params.id, body, readRevision(headers));
    call.trail.details = { version: changed.version };
    return withEtag(changed);
  });
  http.bind(routes.listDatasetRows, async ({ params, query }, call) => await datasets.rows(call.actor, params.id, query));
  http.bind(
    routes.getDatasetStatistics,
    async ({ params, query }, call) => await datasets.statistics(call.actor, params.id, query.version),
  );
  http.bind(routes.exportDataset, async ({ params, query }, call) => {
    const { name, format, content } = await datasets.export(call.actor, params.id, query);
    return answer(200, Readable.from(content, { objectMode: false }), {
      "content-type": mediaTypes[format],
      "content-disposition": `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll(/['()*]/g, "_")}`,
      "content-security-policy": "sandbox; default-src 'none'",
      "cache-control": "private, no-store",
    });
  });
}
