import type { AssetOwner, BulkResult, TreeRef } from "@syla/contracts/assets";
import type { FoundFiles } from "@syla/contracts/file-search";
import type { TreeFile } from "@syla/contracts/programs";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import type { WorkspaceAnalysis } from "@syla/contracts/workspace-analysis";
import type { WorkspaceMirror, workspaceMirrorRoutes } from "@syla/contracts/workspace-mirrors";
import type { WorkspaceSandbox } from "@syla/contracts/workspace-sandboxes";
import type { LiveDocument, WorkspacePresenceEvent } from "@syla/contracts/workspace-live";
import type { Workspace, WorkspaceDiff, workspaceRoutes, WorkspaceVersion } from "@syla/contracts/workspaces";
import type { Revision, TreeChanges } from "./assets.ts";
import { readEventStream } from "./event-stream.ts";
import { iteratePages } from "./pages.ts";
import { asFlag, rangeHeader, type DownloadArtifactOptions, type Page } from "./runs.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** Filters and page of workspaces. */
export type ListWorkspacesQuery = Partial<RouteQuery<typeof workspaceRoutes.listWorkspaces>>;

/** What to look for in files, in which of them, and which page of it. */
export interface FileSearchQuery {
  /** What a line holds. */
  readonly q: string;
  /** `q` is a regular expression in RE2's syntax. */
  readonly regex?: boolean | undefined;
  readonly matchCase?: boolean | undefined;
  readonly wholeWord?: boolean | undefined;
  /** Only these files, and not these: `*.py, src/**`. */
  readonly include?: string | undefined;
  readonly exclude?: string | undefined;
  /** What is there now when left out. */
  readonly version?: number | undefined;
  readonly after?: string | undefined;
  readonly limit?: number | undefined;
}

/** What of a change that others have met stays; `refuse` when left out. */
export type OnConflict = "refuse" | "mine" | "theirs";

/** Trees of files with a life of their own, in which runs may happen. */
export interface Workspaces {
  list(query?: ListWorkspacesQuery, options?: CallOptions): Promise<Page<Workspace>>;
  /** Every workspace under a filter, page after page. */
  all(query?: ListWorkspacesQuery, options?: CallOptions): AsyncGenerator<Workspace, void, void>;
  create(input: RouteBody<typeof workspaceRoutes.createWorkspace>, options?: CreateOptions): Promise<Workspace>;
  get(id: string, options?: CallOptions): Promise<Workspace>;
  /** Changes what was loaded as `revision`; refused with `revision_conflict` when it has changed since. */
  update(
    id: string,
    change: RouteBody<typeof workspaceRoutes.updateWorkspace>,
    revision: Revision,
    options?: CallOptions,
  ): Promise<Workspace>;
  /** It can be restored for a while, unless it is removed `forGood`. */
  delete(id: string, forGood?: boolean, options?: CallOptions): Promise<void>;
  restore(id: string, options?: CallOptions): Promise<Workspace>;
  clone(id: string, input?: RouteBody<typeof workspaceRoutes.cloneWorkspace>, options?: CreateOptions): Promise<Workspace>;
  transfer(
    id: string,
    to: RouteBody<typeof workspaceRoutes.transferWorkspace>,
    options?: CallOptions,
  ): Promise<{ id: string; owner: AssetOwner }>;
  suspend(id: string, options?: CallOptions): Promise<Workspace>;
  archive(id: string, options?: CallOptions): Promise<Workspace>;
  resume(id: string, options?: CallOptions): Promise<Workspace>;
  files(
    id: string,
    version?: number,
    options?: CallOptions,
  ): Promise<{ readonly tree: TreeRef; readonly revision: number; readonly items: readonly TreeFile[] }>;
  /** The content of a file, or a part of it, unread. */
  readFile(id: string, path: string, version?: number, options?: DownloadArtifactOptions): Promise<Response>;
  /** A page of the lines that hold something; `nextAfter` is `after` of the next one. */
  search(id: string, query: FileSearchQuery, options?: CallOptions): Promise<FoundFiles>;
  /** What its files are, as far as that has been looked for. */
  analysis(id: string, options?: CallOptions): Promise<WorkspaceAnalysis>;
  /** Has them looked at, unless that has been done; answers at once. */
  analyse(id: string, options?: CallOptions): Promise<WorkspaceAnalysis>;
  /** Changes files that were loaded at `revision`, all at once or not at all; what others have changed since stays. `keepBefore` makes a version before. */
  changeFiles(
    id: string,
    changes: TreeChanges,
    revision: Revision,
    how?: { readonly onConflict?: OnConflict; readonly keepBefore?: boolean },
    options?: CallOptions,
  ): Promise<Workspace>;
  import(id: string, input: RouteBody<typeof workspaceRoutes.importIntoWorkspace>, options?: CallOptions): Promise<Workspace>;
  /** An archive of its files, unread. */
  export(id: string, query?: { readonly format?: "zip" | "tar"; readonly version?: number }, options?: CallOptions): Promise<Response>;
  /** The address of an archive of several, for links. */
  exportUrl(ids: readonly string[]): string;
  diff(
    id: string,
    ends?: { readonly from?: string; readonly to?: string; readonly other?: string },
    options?: CallOptions,
  ): Promise<WorkspaceDiff>;
  /** The same with many; how it went with each. */
  change(input: RouteBody<typeof workspaceRoutes.changeWorkspaces>, options?: CallOptions): Promise<readonly BulkResult[]>;
  /** One's own sandbox in a workspace: its files, and interpreters that keep their variables. */
  readonly sandbox: {
    /** The one that lives, or the last one; `sandbox` is null when there was none. */
    get(id: string, options?: CallOptions): Promise<WorkspaceSandbox>;
    /** The one that lives, or a new one, which is ready when its status is `running`. */
    start(id: string, input?: { readonly language?: string }, options?: CallOptions): Promise<WorkspaceSandbox>;
  };
  /** The live document of a file, which is joined by its id on the live connection. */
  document(id: string, path: string, options?: CallOptions): Promise<LiveDocument>;
  /** The live connection, which speaks the Hocuspocus protocol. */
  live(id: string): WebSocket;
  /** Who has the workspace open: everybody who is there, whenever that changes, until the signal aborts. */
  people(id: string, options?: CallOptions): AsyncGenerator<WorkspacePresenceEvent, void, void>;
  /** The git repository that it follows. */
  readonly mirror: {
    /** Null when it follows none. */
    get(id: string, options?: CallOptions): Promise<WorkspaceMirror | null>;
    /** Sets it, and fetches at once; `problem` says why nothing came in. */
    set(id: string, input: RouteBody<typeof workspaceMirrorRoutes.mirrorIntoWorkspace>, options?: CallOptions): Promise<WorkspaceMirror>;
    /** Fetches it now. `mine` are the files of the workspace, `theirs` those of the repository. */
    fetch(id: string, onConflict?: OnConflict, options?: CallOptions): Promise<WorkspaceMirror>;
    /** The files stay. */
    delete(id: string, options?: CallOptions): Promise<void>;
  };
  readonly versions: {
    list(id: string, query?: { readonly cursor?: string; readonly limit?: number }, options?: CallOptions): Promise<Page<WorkspaceVersion>>;
    /** Keeps the files as they are now. */
    create(id: string, message?: string, options?: CreateOptions): Promise<WorkspaceVersion>;
    /** Puts a version in the place of what is there now, which becomes a version. */
    restore(id: string, number: number, revision: Revision, options?: CallOptions): Promise<Workspace>;
  };
}

export function createWorkspaces(transport: Transport): Workspaces {
  const list: Workspaces["list"] = (query = {}, options = {}) => transport.json("listWorkspaces", { ...options, query });
  const at = (version: number | undefined) => (version === undefined ? {} : { version });
  return {
    list,
    all: (query = {}, options = {}) =>
      iteratePages((cursor) => list({ limit: 200, ...query, ...(cursor !== null && { cursor }) }, options)),
    create: (input, options = {}) => transport.json("createWorkspace", { timeoutMs: 0, ...options, body: input }),
    get: (id, options = {}) => transport.json("getWorkspace", { ...options, params: { id } }),
    update: (id, change, revision, options = {}) =>
      transport.json("updateWorkspace", { ...options, params: { id }, body: change, revision }),
    delete: async (id, forGood = false, options = {}) =>
      void (await transport.json("deleteWorkspace", { ...options, params: { id }, query: forGood ? { forGood: "true" } : {} })),
    restore: (id, options = {}) => transport.json("restoreWorkspace", { ...options, params: { id } }),
    clone: (id, input = {}, options = {}) => transport.json("cloneWorkspace", { ...options, params: { id }, body: input }),
    transfer: (id, to, options = {}) => transport.json("transferWorkspace", { ...options, params: { id }, body: to }),
    suspend: (id, options = {}) => transport.json("suspendWorkspace", { ...options, params: { id } }),
    archive: (id, options = {}) => transport.json("archiveWorkspace", { ...options, params: { id } }),
    resume: (id, options = {}) => transport.json("resumeWorkspace", { ...options, params: { id } }),
    files: (id, version, options = {}) => transport.json("listWorkspaceFiles", { ...options, params: { id }, query: at(version) }),
    readFile: (id, path, version, { range, ...options } = {}) =>
      transport.raw("readWorkspaceFile", {
        ...options,
        params: { id },
        query: { path, ...at(version) },
        ...rangeHeader(range),
      }),
    search: (id, { regex, matchCase, wholeWord, ...query }, options = {}) =>
      transport.json("searchWorkspaceFiles", {
        ...options,
        params: { id },
        query: { ...query, regex: asFlag(regex), matchCase: asFlag(matchCase), wholeWord: asFlag(wholeWord) },
      }),
    analysis: (id, options = {}) => transport.json("getWorkspaceAnalysis", { ...options, params: { id } }),
    analyse: (id, options = {}) => transport.json("analyseWorkspace", { ...options, params: { id }, repeatable: true }),
    changeFiles: (id, changes, revision, how = {}, options = {}) =>
      transport.json("changeWorkspaceFiles", { timeoutMs: 0, ...options, params: { id }, body: { ...how, changes }, revision }),
    import: (id, input, options = {}) => transport.json("importIntoWorkspace", { timeoutMs: 0, ...options, params: { id }, body: input }),
    export: (id, query = {}, options = {}) => transport.raw("exportWorkspace", { timeoutMs: 0, ...options, params: { id }, query }),
    exportUrl: (ids) => transport.url("exportWorkspaces", { query: { ids: ids.join(",") } }),
    diff: (id, ends = {}, options = {}) => transport.json("diffWorkspace", { ...options, params: { id }, query: ends }),
    change: async (input, options = {}) => (await transport.json("changeWorkspaces", { timeoutMs: 0, ...options, body: input })).results,
    sandbox: {
      get: (id, options = {}) => transport.json("getWorkspaceSandbox", { ...options, params: { id } }),
      start: (id, input = {}, options = {}) =>
        transport.json("startWorkspaceSandbox", { ...options, params: { id }, body: input, repeatable: true }),
    },
    document: (id, path, options = {}) => transport.json("openLiveDocument", { ...options, params: { id }, query: { path } }),
    live: (id) => transport.socket("joinWorkspace", { params: { id } }),
    async *people(id, options = {}) {
      yield* readEventStream(await transport.raw("followWorkspace", { ...options, params: { id } }));
    },
    mirror: {
      get: async (id, options = {}) => (await transport.json("getWorkspaceMirror", { ...options, params: { id } })).mirror,
      set: (id, input, options = {}) => transport.json("mirrorIntoWorkspace", { timeoutMs: 0, ...options, params: { id }, body: input }),
      fetch: (id, onConflict = "refuse", options = {}) =>
        transport.json("fetchWorkspaceMirror", { timeoutMs: 0, ...options, params: { id }, body: { onConflict } }),
      delete: async (id, options = {}) => void (await transport.json("deleteWorkspaceMirror", { ...options, params: { id } })),
    },
    versions: {
      list: (id, query = {}, options = {}) => transport.json("listWorkspaceVersions", { ...options, params: { id }, query }),
      create: (id, message = "", options = {}) => transport.json("snapshotWorkspace", { ...options, params: { id }, body: { message } }),
      restore: (id, number, revision, options = {}) =>
        transport.json("restoreWorkspaceVersion", { ...options, params: { id, number }, revision }),
    },
  };
}
