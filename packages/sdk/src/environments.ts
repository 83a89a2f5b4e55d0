import type { EnvironmentImage, EnvironmentImageEvent } from "@syla/contracts/environment-images";
import type {
  Environment,
  EnvironmentEvent,
  environmentRoutes,
  EnvironmentStorage,
  EnvironmentSummary,
  ProgramEnvironment,
  ProgramSandbox,
} from "@syla/contracts/environments";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import { type FollowOptions, followStream } from "./run-events.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, Transport } from "./transport.ts";

/** Filters and page of the list. */
export type ListEnvironmentsQuery = Omit<Partial<RouteQuery<typeof environmentRoutes.listEnvironments>>, "limit"> & {
  readonly limit?: number | undefined;
};

/** The built dependencies of programs. */
export interface Environments {
  list(query?: ListEnvironmentsQuery, options?: CallOptions): Promise<Page<EnvironmentSummary>>;
  get(id: string, options?: CallOptions): Promise<Environment>;
  /** Builds it if it is not there; `again`: in any case, for administrators. Answers at once. */
  build(id: string, wish?: RouteBody<typeof environmentRoutes.buildEnvironment>, options?: CallOptions): Promise<Environment>;
  /** Whether you want it warm at any time: built, with an interpreter booted ahead. */
  keepWarm(id: string, keep: boolean, options?: CallOptions): Promise<Environment>;
  /** Follows a build live until its `end` event; resumes by itself after a lost connection. */
  events(id: string, options?: FollowOptions): AsyncGenerator<EnvironmentEvent, void, void>;
  /** The log of the last build, its body unread. */
  log(id: string, options?: CallOptions): Promise<Response>;
  logUrl(id: string): string;
  /** The exact versions, its body unread. */
  lock(id: string, options?: CallOptions): Promise<Response>;
  lockUrl(id: string): string;
  delete(id: string, options?: CallOptions): Promise<void>;
  storage(options?: CallOptions): Promise<EnvironmentStorage>;
  readonly images: EnvironmentImages;
  /** What a program, or a version of it, has. */
  ofProgram(programId: string, version?: string, options?: CallOptions): Promise<ProgramEnvironment>;
  buildForProgram(
    programId: string,
    wish?: RouteBody<typeof environmentRoutes.buildProgramEnvironment>,
    options?: CallOptions,
  ): Promise<ProgramEnvironment>;
  /** Your interactive environment of a program; `version`: what `isCurrent` compares with. */
  sandboxOf(programId: string, version?: string, options?: CallOptions): Promise<ProgramSandbox>;
  /** Starts it, or gets the one that lives. Answers at once: it is ready when its status is `running`. */
  startSandbox(
    programId: string,
    wish?: RouteBody<typeof environmentRoutes.startProgramSandbox>,
    options?: CallOptions,
  ): Promise<ProgramSandbox>;
}

/** Environments as OCI images, for clusters. Building and pushing are for administrators, answer at once, and can be followed. */
export interface EnvironmentImages {
  get(environmentId: string, options?: CallOptions): Promise<EnvironmentImage>;
  build(environmentId: string, options?: CallOptions): Promise<EnvironmentImage>;
  /** To the registry that is set up; built first if need be. */
  push(environmentId: string, options?: CallOptions): Promise<EnvironmentImage>;
  events(environmentId: string, options?: FollowOptions): AsyncGenerator<EnvironmentImageEvent, void, void>;
  /** The log of the last build or push, its body unread. */
  log(environmentId: string, options?: CallOptions): Promise<Response>;
  logUrl(environmentId: string): string;
}

export function createEnvironments(transport: Transport): Environments {
  return {
    list: (query = {}, options = {}) => transport.json("listEnvironments", { ...options, query }),
    get: (id, options = {}) => transport.json("getEnvironment", { ...options, params: { id } }),
    build: (id, body = {}, options = {}) => transport.json("buildEnvironment", { ...options, params: { id }, body, repeatable: true }),
    keepWarm: (id, keep, options = {}) =>
      transport.json("warmEnvironment", { ...options, params: { id }, body: { keep }, repeatable: true }),
    events: (id, options) => followStream(transport, "streamEnvironment", id, options),
    log: (id, options = {}) => transport.raw("downloadEnvironmentLog", { ...options, params: { id } }),
    logUrl: (id) => transport.url("downloadEnvironmentLog", { params: { id } }),
    lock: (id, options = {}) => transport.raw("downloadEnvironmentLock", { ...options, params: { id } }),
    lockUrl: (id) => transport.url("downloadEnvironmentLock", { params: { id } }),
    delete: async (id, options = {}) => void (await transport.json("deleteEnvironment", { ...options, params: { id } })),
    storage: (options = {}) => transport.json("getEnvironmentStorage", options),
    images: createImages(transport),
    ofProgram: (id, version, options = {}) =>
      transport.json("getProgramEnvironment", { ...options, params: { id }, query: version === undefined ? {} : { version } }),
    buildForProgram: (id, body = {}, options = {}) =>
      transport.json("buildProgramEnvironment", { ...options, params: { id }, body, repeatable: true }),
    sandboxOf: (id, version, options = {}) =>
      transport.json("getProgramSandbox", { ...options, params: { id }, query: version === undefined ? {} : { version } }),
    startSandbox: (id, body = {}, options = {}) =>
      transport.json("startProgramSandbox", { ...options, params: { id }, body, repeatable: true }),
  };
}

function createImages(transport: Transport): EnvironmentImages {
  return {
    get: (id, options = {}) => transport.json("getEnvironmentImage", { ...options, params: { id } }),
    build: (id, options = {}) => transport.json("buildEnvironmentImage", { ...options, params: { id }, body: {}, repeatable: true }),
    push: (id, options = {}) => transport.json("pushEnvironmentImage", { ...options, params: { id }, body: {}, repeatable: true }),
    events: (id, options) => followStream(transport, "streamEnvironmentImage", id, options),
    log: (id, options = {}) => transport.raw("downloadEnvironmentImageLog", { ...options, params: { id } }),
    logUrl: (id) => transport.url("downloadEnvironmentImageLog", { params: { id } }),
  };
}
