import type { Asset, AssetDiff } from "@syla/contracts/assets";
import type { AnalysisDocument } from "@syla/contracts/analysis";
import type { GitRefs, Import, ImportEvent, ImportFile, ImportFolder, importRoutes, Template } from "@syla/contracts/imports";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import { pause } from "./retry.ts";
import { type FollowOptions, followStream } from "./run-events.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

type Input = RouteBody<typeof importRoutes.createImport>;

/** How an import is waited for. */
export interface WaitForImportOptions extends CallOptions {
  /** Told each time that it is looked at. */
  readonly onProgress?: (found: Import) => void;
}

/** Programs on their way into the catalog: fetched, looked at, and made when they are confirmed. */
export interface Imports {
  create(input: Input, options?: CreateOptions): Promise<Import>;
  get(id: string, options?: CallOptions): Promise<Import>;
  /** Resolves when it can be confirmed, or has ended. */
  wait(id: string, options?: WaitForImportOptions): Promise<Import>;
  list(query?: Partial<RouteQuery<typeof importRoutes.listImports>>, options?: CallOptions): Promise<Page<Import>>;
  files(id: string, options?: CallOptions): Promise<readonly ImportFile[]>;
  /** How it differs from the program that it is for, line by line. */
  diff(id: string, options?: CallOptions): Promise<Pick<AssetDiff, "files" | "omitted">>;
  /** Follows it live until its `end` event; resumes by itself after a lost connection. */
  events(id: string, options?: FollowOptions): AsyncGenerator<ImportEvent, void, void>;
  /** What its files are, once they have been looked at. */
  analysis(id: string, options?: CallOptions): Promise<AnalysisDocument>;
  /** The folders that may be taken alone, the likeliest first. */
  folders(id: string, options?: CallOptions): Promise<readonly ImportFolder[]>;
  /** Takes a folder alone, or with null all of it again; it is looked at anew. */
  chooseFolder(id: string, path: string | null, options?: CallOptions): Promise<Import>;
  confirm(id: string, input?: RouteBody<typeof importRoutes.confirmImport>, options?: CallOptions): Promise<Asset>;
  cancel(id: string, options?: CallOptions): Promise<Import>;
  gitRefs(input: RouteBody<typeof importRoutes.listGitRefs>, options?: CallOptions): Promise<GitRefs>;
  templates(options?: CallOptions): Promise<readonly Template[]>;
}

const firstWaitMs = 100;
const longestWaitMs = 1000;

export function createImports(transport: Transport): Imports {
  const get = (id: string, options: CallOptions = {}): Promise<Import> => transport.json("getImport", { ...options, params: { id } });
  return {
    create: (input, options = {}) => transport.json("createImport", { ...options, body: input }),
    get,
    wait: async (id, { onProgress, ...options } = {}) => {
      for (let wait = firstWaitMs; ; wait = Math.min(longestWaitMs, wait * 1.5)) {
        const found = await get(id, options);
        onProgress?.(found);
        if (found.state !== "fetching" && found.state !== "analysing" && found.state !== "creating") return found;
        await pause(wait, options.signal);
      }
    },
    list: (query = {}, options = {}) => transport.json("listImports", { ...options, query }),
    files: async (id, options = {}) => (await transport.json("listImportFiles", { ...options, params: { id } })).items,
    diff: (id, options = {}) => transport.json("diffImport", { ...options, params: { id } }),
    events: (id, options) => followStream(transport, "streamImport", id, options),
    analysis: (id, options = {}) => transport.json("getImportAnalysis", { ...options, params: { id } }),
    folders: async (id, options = {}) => (await transport.json("listImportFolders", { ...options, params: { id } })).items,
    chooseFolder: (id, path, options = {}) => transport.json("chooseImportFolder", { ...options, params: { id }, body: { path } }),
    confirm: (id, input = {}, options = {}) => transport.json("confirmImport", { ...options, params: { id }, body: input }),
    cancel: (id, options = {}) => transport.json("cancelImport", { ...options, params: { id } }),
    gitRefs: (input, options = {}) => transport.json("listGitRefs", { timeoutMs: 0, ...options, body: input }),
    templates: async (options = {}) => (await transport.json("listTemplates", options)).items,
  };
}
