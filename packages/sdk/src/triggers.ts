import type { RouteBody, RouteOutput, RouteQuery } from "@syla/contracts/route";
import type { Trigger, TriggerCall, triggerRoutes } from "@syla/contracts/triggers";
import { iteratePages } from "./pages.ts";
import type { Page } from "./runs.ts";
import type { CallOptions, ChangeOptions, CreateOptions, Transport } from "./transport.ts";

/** A trigger with the secret that its callers prove themselves with: shown this once. */
export type TriggerWithSecret = RouteOutput<typeof triggerRoutes.createTrigger>;

/** Addresses whose calls start runs of a program. */
export interface Triggers {
  /** Yours, newest first. */
  list(
    query?: Omit<RouteQuery<typeof triggerRoutes.listTriggers>, "cursor" | "limit">,
    options?: CallOptions,
  ): AsyncGenerator<Trigger, void, void>;
  create(input: RouteBody<typeof triggerRoutes.createTrigger>, options?: CreateOptions): Promise<TriggerWithSecret>;
  get(id: string, options?: CallOptions): Promise<Trigger>;
  update(id: string, change: RouteBody<typeof triggerRoutes.updateTrigger>, options?: ChangeOptions): Promise<Trigger>;
  /** With the list of its calls; its runs stay. */
  delete(id: string, options?: CallOptions): Promise<void>;
  /** A new secret; for a day the one before is good as well. */
  rotate(id: string, options?: CallOptions): Promise<TriggerWithSecret>;
  /** The last calls, newest first, one page. */
  calls(id: string, query?: RouteQuery<typeof triggerRoutes.listTriggerCalls>, options?: CallOptions): Promise<Page<TriggerCall>>;
}

export function createTriggers(transport: Transport): Triggers {
  return {
    list: (query = {}, options = {}) =>
      iteratePages((cursor): Promise<Page<Trigger>> =>
        transport.json("listTriggers", { ...options, query: { ...query, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    create: (input, options = {}) => transport.json("createTrigger", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getTrigger", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateTrigger", { ...options, params: { id }, body: change, repeatable: true }),
    delete: async (id, options = {}) => void (await transport.json("deleteTrigger", { ...options, params: { id } })),
    rotate: (id, options = {}) => transport.json("rotateTrigger", { ...options, params: { id } }),
    calls: (id, query = {}, options = {}) => transport.json("listTriggerCalls", { ...options, params: { id }, query }),
  };
}
