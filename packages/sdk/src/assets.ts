import type { ProgramConfig } from "@syla/contracts/program-config";
import type {
  Asset,
  AssetChange,
  AssetDiff,
  AssetOwner,
  AssetPage,
  AssetSummary,
  AssetUses,
  AssetVersion,
  assetRoutes,
  BulkResult,
} from "@syla/contracts/assets";
import type { ProgramAnalysis } from "@syla/contracts/program-analysis";
import type { programRoutes, TreeFile } from "@syla/contracts/programs";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import { iteratePages } from "./pages.ts";
import { pause } from "./retry.ts";
import { rangeHeader, type DownloadArtifactOptions, type Page } from "./runs.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** Filters and page of the catalog. */
export type ListAssetsQuery = Partial<RouteQuery<typeof assetRoutes.listAssets>>;

/** What a change is a change of: the revision that was loaded, or `*` for whatever is there. */
export type Revision = number | "*";

/** A page of versions, and what the next one may be called. */
export interface VersionPage extends Page<AssetVersion> {
  readonly next: { readonly patch: string; readonly minor: string; readonly major: string };
}

/** What is in the catalog, of every type. */
export interface Assets {
  list(query?: ListAssetsQuery, options?: CallOptions): Promise<AssetPage>;
  /** Every asset under a filter, page after page. */
  all(query?: ListAssetsQuery, options?: CallOptions): AsyncGenerator<AssetSummary, void, void>;
  create(input: RouteBody<typeof assetRoutes.createAsset>, options?: CreateOptions): Promise<Asset>;
  get(id: string, options?: CallOptions): Promise<Asset>;
  /** Changes what was loaded as `revision`; refused with `revision_conflict` when it has changed since. */
  update(id: string, change: AssetChange, revision: Revision, options?: CallOptions): Promise<Asset>;
  delete(id: string, options?: CallOptions): Promise<void>;
  restore(id: string, options?: CallOptions): Promise<Asset>;
  /** Which compositions use it. */
  uses(id: string, options?: CallOptions): Promise<AssetUses>;
  clone(id: string, input?: RouteBody<typeof assetRoutes.cloneAsset>, options?: CreateOptions): Promise<Asset>;
  transfer(id: string, to: RouteBody<typeof assetRoutes.transferAsset>, options?: CallOptions): Promise<{ id: string; owner: AssetOwner }>;
  /** The same with many; how it went with each. */
  change(input: RouteBody<typeof assetRoutes.changeAssets>, options?: CallOptions): Promise<readonly BulkResult[]>;
  /** A zip archive, unread. */
  export(ids: readonly string[], options?: CallOptions): Promise<Response>;
  /** The address of that archive, for links; null: more than an address can name. */
  exportUrl(ids: readonly string[]): string | null;
  diff(id: string, ends?: { readonly from?: string; readonly to?: string }, options?: CallOptions): Promise<AssetDiff>;
  readonly versions: {
    list(id: string, query?: { readonly cursor?: string; readonly limit?: number }, options?: CallOptions): Promise<VersionPage>;
    get(id: string, version: string, options?: CallOptions): Promise<AssetVersion>;
    publish(
      id: string,
      input?: RouteBody<typeof assetRoutes.publishVersion>,
      revision?: Revision,
      options?: CallOptions,
    ): Promise<AssetVersion>;
    /** Puts a version into what is there now. */
    restore(id: string, version: string, revision: Revision, options?: CallOptions): Promise<Asset>;
  };
}

/** The changes of a tree. */
export type TreeChanges = RouteBody<typeof programRoutes.changeProgramFiles>["changes"];

/** The files of programs. */
export interface Programs {
  files(
    id: string,
    version?: string,
    options?: CallOptions,
  ): Promise<{ readonly tree: Asset["tree"]; readonly revision: number; readonly items: readonly TreeFile[] }>;
  /** The content of a file, or a part of it, unread. */
  readFile(id: string, path: string, version?: string, options?: DownloadArtifactOptions): Promise<Response>;
  /** Changes files, all at once or not at all. */
  changeFiles(id: string, changes: TreeChanges, revision: Revision, options?: CallOptions): Promise<Asset>;
  /** How it is run. */
  config(asset: Asset): ProgramConfig;
  /** What it is, as far as that has been looked at. */
  analysis(id: string, version?: string, options?: CallOptions): Promise<ProgramAnalysis>;
  /** Has it looked at unless that has been done. Answers at once; with `wait`, once it is `done` or has `failed`. */
  analyse(id: string, version?: string, options?: CallOptions & { readonly wait?: boolean }): Promise<ProgramAnalysis>;
}

/** How many one request changes. */
const mostAtOnce = 200;
const mostInAddress = 100;
const firstWaitMs = 200;
const longestWaitMs = 1500;

export function createAssets(transport: Transport): Assets {
  const list: Assets["list"] = (query = {}, options = {}) => transport.json("listAssets", { ...options, query });
  return {
    list,
    all: (query = {}, options = {}) =>
      iteratePages((cursor) => list({ limit: 200, ...query, ...(cursor !== null && { cursor }) }, options)),
    create: (input, options = {}) => transport.json("createAsset", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getAsset", { ...options, params: { id } }),
    update: (id, change, revision, options = {}) => transport.json("updateAsset", { ...options, params: { id }, body: change, revision }),
    delete: async (id, options = {}) => void (await transport.json("deleteAsset", { ...options, params: { id } })),
    restore: (id, options = {}) => transport.json("restoreAsset", { ...options, params: { id }, repeatable: true }),
    uses: (id, options = {}) => transport.json("listAssetUses", { ...options, params: { id } }),
    clone: (id, input = {}, options = {}) => transport.json("cloneAsset", { ...options, params: { id }, body: input }),
    transfer: (id, to, options = {}) => transport.json("transferAsset", { ...options, params: { id }, body: to }),
    change: async (input, options = {}) => {
      const results: BulkResult[] = [];
      for (let start = 0; start < input.ids.length; start += mostAtOnce) {
        const some = { ...input, ids: input.ids.slice(start, start + mostAtOnce) };
        results.push(...(await transport.json("changeAssets", { ...options, body: some })).results);
      }
      return results;
    },
    export: (ids, options = {}) =>
      ids.length > mostInAddress
        ? transport.raw("exportManyAssets", { timeoutMs: 0, ...options, body: { ids: [...ids] } })
        : transport.raw("exportAssets", { timeoutMs: 0, ...options, query: { ids: ids.join(",") } }),
    exportUrl: (ids) => (ids.length > mostInAddress ? null : transport.url("exportAssets", { query: { ids: ids.join(",") } })),
    diff: (id, ends = {}, options = {}) => transport.json("diffAsset", { ...options, params: { id }, query: ends }),
    versions: {
      list: (id, query = {}, options = {}) => transport.json("listVersions", { ...options, params: { id }, query }),
      get: (id, version, options = {}) => transport.json("getVersion", { ...options, params: { id, version } }),
      publish: (id, input = {}, revision = "*", options = {}) =>
        transport.json("publishVersion", { ...options, params: { id }, body: input, revision }),
      restore: (id, version, revision, options = {}) => transport.json("restoreVersion", { ...options, params: { id, version }, revision }),
    },
  };
}

export function createPrograms(transport: Transport): Programs {
  const at = (version: string | undefined) => (version === undefined ? {} : { version });
  const analysis: Programs["analysis"] = (id, version, options = {}) =>
    transport.json("getProgramAnalysis", { ...options, params: { id }, query: at(version) });
  return {
    analysis,
    analyse: async (id, version, { wait = false, ...options } = {}) => {
      let found = await transport.json("analyseProgram", { ...options, params: { id }, body: at(version), repeatable: true });
      if (!wait) return found;
      for (let ms = firstWaitMs; found.state === "running"; ms = Math.min(longestWaitMs, ms * 1.5)) {
        await pause(ms, options.signal);
        found = await analysis(id, version, options);
      }
      return found;
    },
    files: (id, version, options = {}) => transport.json("listProgramFiles", { ...options, params: { id }, query: at(version) }),
    readFile: (id, path, version, { range, ...options } = {}) =>
      transport.raw("readProgramFile", { ...options, params: { id }, query: { path, ...at(version) }, ...rangeHeader(range) }),
    changeFiles: (id, changes, revision, options = {}) =>
      transport.json("changeProgramFiles", { timeoutMs: 0, ...options, params: { id }, body: { changes }, revision }),
    config: (asset) => asset.config as ProgramConfig,
  };
}
