import type { Asset } from "@syla/contracts/assets";
import type { DatasetConfig, DatasetSplitsInput } from "@syla/contracts/dataset-config";
import type { ColumnStatistics, DatasetRow, datasetRoutes } from "@syla/contracts/datasets";
import type { RouteQuery } from "@syla/contracts/route";
import type { Revision } from "./assets.ts";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, RawContent, Transport } from "./transport.ts";

type Query<K extends keyof typeof datasetRoutes> = Partial<RouteQuery<(typeof datasetRoutes)[K]>>;

/** How an upload is read, and what the dataset is called. */
export type NewDatasetQuery = RouteQuery<typeof datasetRoutes.createDataset>;
/** How an upload is read, and what the version is called. */
export type DatasetContentQuery = Query<"replaceDatasetContent">;
/** Which rows, and how many. */
export type DatasetRowsQuery = Query<"listDatasetRows">;
/** Which rows, and as what. */
export type DatasetExportQuery = Query<"exportDataset">;

/** A page of rows. */
export interface DatasetRowPage extends Page<DatasetRow> {
  /** Rows of the version, or of its split; null when rows are looked for. */
  readonly total: number | null;
}

/** Rows in versions. Finding, sharing, cloning and deleting datasets is done with `assets`, as of everything in the catalog. */
export interface Datasets {
  /** Uploads rows as a new dataset: bytes, a Blob or a stream. */
  create(content: RawContent | string, query: NewDatasetQuery, options?: CallOptions): Promise<Asset>;
  /** Uploads other rows, which are published as the next version. */
  replace(id: string, content: RawContent | string, revision: Revision, query?: DatasetContentQuery, options?: CallOptions): Promise<Asset>;
  /** Shares the rows out, and publishes that; null: no splits. */
  split(
    id: string,
    splits: { readonly seed?: number; readonly shares: DatasetSplitsInput["shares"] } | null,
    revision: Revision,
    message?: string,
    options?: CallOptions,
  ): Promise<Asset>;
  /** A page of rows. */
  rows(id: string, query?: DatasetRowsQuery, options?: CallOptions): Promise<DatasetRowPage>;
  /** Every row, page after page. */
  allRows(id: string, query?: DatasetRowsQuery, options?: CallOptions): AsyncGenerator<DatasetRow, void, void>;
  /** What the values of each column are like. */
  statistics(
    id: string,
    version?: string,
    options?: CallOptions,
  ): Promise<{ readonly rowCount: number; readonly columns: readonly ColumnStatistics[] }>;
  /** The rows as a file, unread. */
  export(id: string, query?: DatasetExportQuery, options?: CallOptions): Promise<Response>;
  /** The address of that file, for links. */
  exportUrl(id: string, query?: DatasetExportQuery): string;
  /** Columns, counts and splits. */
  config(asset: Pick<Asset, "config">): DatasetConfig;
}

const ifMatch = (revision: Revision) => ({ "if-match": revision === "*" ? "*" : `"${revision}"` });
const toBody = (content: RawContent | string) => (typeof content === "string" ? new TextEncoder().encode(content) : content);

export function createDatasets(transport: Transport): Datasets {
  const rows: Datasets["rows"] = (id, query = {}, options = {}) => transport.json("listDatasetRows", { ...options, params: { id }, query });
  return {
    create: (content, query, options = {}) => transport.json("createDataset", { timeoutMs: 0, ...options, query, body: toBody(content) }),
    replace: (id, content, revision, query = {}, options = {}) =>
      transport.json("replaceDatasetContent", {
        timeoutMs: 0,
        ...options,
        params: { id },
        query,
        headers: ifMatch(revision),
        body: toBody(content),
      }),
    split: (id, splits, revision, message, options = {}) =>
      transport.json("splitDataset", {
        ...options,
        params: { id },
        headers: ifMatch(revision),
        body: { splits, ...(message === undefined ? {} : { message }) },
      }),
    rows,
    allRows: (id, query = {}, options = {}) =>
      iteratePages((cursor) => rows(id, { limit: 200, ...query, ...(cursor !== null && { cursor }) }, options)),
    statistics: (id, version, options = {}) =>
      transport.json("getDatasetStatistics", { ...options, params: { id }, query: version === undefined ? {} : { version } }),
    export: (id, query = {}, options = {}) => transport.raw("exportDataset", { timeoutMs: 0, ...options, params: { id }, query }),
    exportUrl: (id, query = {}) => transport.url("exportDataset", { params: { id }, query }),
    config: (asset) => asset.config as DatasetConfig,
  };
}
