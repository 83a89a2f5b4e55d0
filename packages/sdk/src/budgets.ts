import type { Budget, budgetRoutes } from "@syla/contracts/budgets";
import type { RouteBody, RouteQuery } from "@syla/contracts/route";
import { iteratePages } from "./pages.ts";
import type { CallOptions, CreateOptions, Transport } from "./transport.ts";

/** Whose budgets to list. */
export type ListBudgetsQuery = Omit<Partial<RouteQuery<typeof budgetRoutes.listBudgets>>, "limit" | "cursor">;

/** What is meant to be spent on models in a month. */
export interface Budgets {
  /** Yours and those of your teams, newest first; of somebody else, the installation or all, as `owner` says. */
  list(query?: ListBudgetsQuery, options?: CallOptions): AsyncGenerator<Budget, void, void>;
  create(input: RouteBody<typeof budgetRoutes.createBudget>, options?: CreateOptions): Promise<Budget>;
  get(id: string, options?: CallOptions): Promise<Budget>;
  update(id: string, change: RouteBody<typeof budgetRoutes.updateBudget>, options?: CallOptions): Promise<Budget>;
  delete(id: string, options?: CallOptions): Promise<void>;
}

export function createBudgets(transport: Transport): Budgets {
  return {
    list: (query = {}, options = {}) =>
      iteratePages((cursor) =>
        transport.json("listBudgets", { ...options, query: { ...query, limit: 200, ...(cursor !== null && { cursor }) } }),
      ),
    create: (input, options = {}) => transport.json("createBudget", { ...options, body: input }),
    get: (id, options = {}) => transport.json("getBudget", { ...options, params: { id } }),
    update: (id, change, options = {}) => transport.json("updateBudget", { ...options, params: { id }, body: change }),
    delete: async (id, options = {}) => void (await transport.json("deleteBudget", { ...options, params: { id } })),
  };
}
