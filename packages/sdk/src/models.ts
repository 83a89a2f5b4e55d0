import type {
  LlmCall,
  LlmCallText,
  LlmTotals,
  Model,
  ModelTest,
  ModelUsage,
  modelRoutes,
  SpendCap,
  SpendCapInput,
} from "@syla/contracts/models";
import type { RouteBody } from "@syla/contracts/route";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, ChangeOptions, CreateOptions, Transport } from "./transport.ts";

/** Calls of models, and what they add up to. */
export interface RunLlmCalls {
  readonly items: LlmCall[];
  readonly nextCursor: string | null;
  readonly total: LlmTotals;
}

/** Models: how to reach language models, and what may be spent on them. Calls go to the gateway, with the clients that you have. */
export interface Models {
  /** Those that you may see, newest first. `owner`: `me`, `system`, or the id of a user or a team. */
  list(options?: CallOptions & { readonly owner?: string }): AsyncGenerator<Model, void, void>;
  create(input: RouteBody<typeof modelRoutes.createModel>, options?: CreateOptions): Promise<Model>;
  get(id: string, options?: CallOptions): Promise<Model>;
  update(id: string, change: RouteBody<typeof modelRoutes.updateModel>, options?: ChangeOptions): Promise<Model>;
  delete(id: string, options?: CallOptions): Promise<void>;
  /** Calls it for real: how fast it is and what it can do, or what is wrong. */
  test(id: string, options?: CallOptions): Promise<ModelTest>;
  /** The same for a configuration that is not stored. */
  testConfig(input: RouteBody<typeof modelRoutes.testModelConfig>, options?: CallOptions): Promise<ModelTest>;
  /** What was spent on it, by whom; for those who may change it. */
  usage(id: string, days?: number, options?: CallOptions): Promise<ModelUsage>;
  /** Its calls, newest first: all for those who may change it, your own otherwise. */
  calls(id: string, options?: CallOptions): AsyncGenerator<LlmCall, void, void>;
  /** One of them, with prompt and answer where they were kept; for those who may change the model. */
  call(id: string, callId: string, options?: CallOptions): Promise<LlmCallText>;
  /** What a grant (or everybody: `public`) may spend on it. */
  setCap(id: string, subject: string, cap: SpendCapInput, options?: ChangeOptions): Promise<SpendCap>;
  removeCap(id: string, subject: string, options?: CallOptions): Promise<void>;
  /** The calls that a run made, in their order. */
  ofRun(runId: string, options?: CallOptions): Promise<RunLlmCalls>;
}

export function createModels(transport: Transport): Models {
  return {
    list: ({ owner, ...options } = {}) =>
      iteratePages((cursor): Promise<Page<Model>> =>
        transport.json("listModels", {
          ...options,
          query: { limit: 200, ...(owner !== undefined && { owner }), ...(cursor !== null && { cursor }) },
        }),
      ),
    create: (input, options = {}) => transport.json("createModel", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getModel", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateModel", { ...options, params: { id }, body: change }),
    delete: async (id, options = {}) => void (await transport.json("deleteModel", { ...options, params: { id } })),
    test: (id, options = {}) => transport.json("testModel", { ...options, params: { id } }),
    testConfig: (input, options = {}) => transport.json("testModelConfig", { ...options, body: input }),
    usage: (id, days = 30, options = {}) => transport.json("getModelUsage", { ...options, params: { id }, query: { days } }),
    calls: (id, options = {}) =>
      iteratePages((cursor): Promise<Page<LlmCall>> =>
        transport.json("listModelCalls", { ...options, params: { id }, query: { limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    call: (id, callId, options = {}) => transport.json("getModelCall", { ...options, params: { id, callId } }),
    setCap: (id, subject, cap, options = {}) =>
      transport.json("setSpendCap", { ...options, params: { id, subject }, body: cap, repeatable: true }),
    removeCap: async (id, subject, options = {}) => void (await transport.json("deleteSpendCap", { ...options, params: { id, subject } })),
    ofRun: (runId, options = {}) => transport.json("listRunCalls", { ...options, params: { id: runId }, query: { limit: 200 } }),
  };
}
