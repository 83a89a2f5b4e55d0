import { z } from "zod";
import { byId } from "./account-fields.ts";
import { pageOf, pageQuery } from "./page.ts";
import { route } from "./route.ts";

/** What somebody means to spend on models in a month, and what of it is spent. */
export const Budget = z
  .object({
    id: z.string(),
    owner: z
      .object({ id: z.string(), name: z.string() })
      .describe("a person, of whose calls it is; a team, of the calls of its models and by its programs; `system`: of everybody's"),
    program: z
      .object({ id: z.string(), name: z.string().nullable().describe("null when it is gone") })
      .nullable()
      .describe("only of calls by this program"),
    amount: z.number().describe("US dollars a month"),
    stops: z.boolean().describe("calls that could pass it are refused; else it only warns"),
    spent: z.number(),
    held: z.number().describe("held back for calls that go on"),
    state: z.enum(["ok", "warning", "reached"]).describe("`warning`: 80 % or more are spent; `reached`: all of it"),
    resetsAt: z.iso.datetime().describe("when it is counted anew: the first of the next month, UTC"),
    isImposed: z.boolean().describe("an administrator has set it, and only administrators change it"),
    mayManage: z.boolean().describe("whether you may change or delete it"),
    createdAt: z.iso.datetime(),
    updatedAt: z.iso.datetime(),
  })
  .meta({ id: "Budget" });
export type Budget = z.infer<typeof Budget>;

const amount = z
  .number()
  .min(0.01)
  .max(100_000_000)
  .describe("US dollars a month")
  .refine((value) => Number.isInteger(Math.round(value * 1e6) / 1e4), "whole cents");
const id = z
  .string()
  .min(1)
  .max(64)
  .regex(/^[^\u0000]*$/, "no NUL");

export const BudgetInput = z
  .strictObject({
    ownerId: id.optional().describe("you, when left out; a team that you own; for administrators anybody, any team, and `system`"),
    programId: id.nullable().default(null).describe("only of calls by this program"),
    amount,
    stops: z.boolean().default(false),
  })
  .meta({ id: "BudgetInput" });
export type BudgetInput = z.output<typeof BudgetInput>;

export const BudgetChange = z
  .strictObject({ amount, stops: z.boolean() })
  .partial()
  .describe("what is left out stays")
  .meta({ id: "BudgetChange" });
export type BudgetChange = z.output<typeof BudgetChange>;

const BudgetFilter = z.object({
  ...pageQuery,
  owner: id
    .default("me")
    .describe("`me`: yours and those of your teams; the id of a person or a team, or `system`; for administrators also `all`"),
});
export type BudgetFilter = z.output<typeof BudgetFilter>;

const common = { tag: "budgets", auth: "user" } as const;
const collection = "/api/v1/budgets";
const one = { ...common, path: `${collection}/:id`, params: byId } as const;

export const budgetRoutes = {
  listBudgets: route({
    ...common,
    method: "GET",
    path: collection,
    summary: "List budgets, newest first",
    query: BudgetFilter,
    responses: { 200: pageOf(Budget) },
    errors: ["invalid_cursor", "not_found"],
  }),
  createBudget: route({
    ...common,
    method: "POST",
    path: collection,
    summary: "Set a budget for models; what was spent this month counts already",
    audit: "budget.create",
    once: "answer",
    body: BudgetInput,
    responses: { 201: Budget },
    errors: ["forbidden", "not_found", "conflict"],
  }),
  getBudget: route({ ...one, method: "GET", summary: "One budget", responses: { 200: Budget }, errors: ["not_found"] }),
  updateBudget: route({
    ...one,
    method: "PATCH",
    summary: "Change a budget",
    audit: "budget.update",
    body: BudgetChange,
    responses: { 200: Budget },
    errors: ["forbidden", "not_found"],
  }),
  deleteBudget: route({
    ...one,
    method: "DELETE",
    summary: "Take a budget away",
    audit: "budget.delete",
    responses: { 204: "none" },
    errors: ["forbidden", "not_found"],
  }),
};
