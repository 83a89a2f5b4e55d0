import { budgetRoutes } from "@syla/contracts/budgets";
import type { Http } from "../../access/http.ts";
import { answer } from "../../platform/http-call.ts";
import type { Budgets } from "./service.ts";

/** Binds budgets. */
export function registerBudgetRoutes(http: Http, budgets: Budgets): void {
  http.bind(budgetRoutes.listBudgets, async ({ query }, call) => await budgets.list(call.actor, query));
  http.bind(budgetRoutes.createBudget, async ({ body }, call) => {
    call.trail.details = body;
    const budget = await budgets.create(call.actor, body);
    return answer(201, budget, { location: `/api/v1/budgets/${budget.id}` });
  });
  http.bind(budgetRoutes.getBudget, async ({ params }, call) => await budgets.get(call.actor, params.id));
  http.bind(budgetRoutes.updateBudget, async ({ params, body }, call) => {
    call.trail.details = body;
    return await budgets.update(call.actor, params.id, body);
  });
  http.bind(budgetRoutes.deleteBudget, async ({ params }, call) => {
    await budgets.delete(call.actor, params.id);
    return answer(204);
  });
}
