import { z } from "zod";

export const SpendPeriod = z.enum(["day", "month", "total"]);
export type SpendPeriod = z.infer<typeof SpendPeriod>;

/** The most that may be spent within a period. */
export const SpendCapInput = z
  .strictObject({ amount: z.number().min(0).max(1_000_000).describe("US dollars"), period: SpendPeriod })
  .meta({ id: "SpendCapInput" });
export type SpendCapInput = z.infer<typeof SpendCapInput>;
