import { z } from "zod";

/** A try, as it is kept. */
const Attempt = z.object({
  at: z.string(),
  url: z.string(),
  durationMs: z.int(),
  status: z.int().nullable(),
  error: z.string().nullable(),
  headers: z.record(z.string(), z.string()),
  head: z.string(),
});

/** The column `tries` of a delivery, the newest last. */
export const Attempts = z.array(Attempt);
