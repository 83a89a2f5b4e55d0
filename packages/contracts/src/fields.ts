import { z } from "zod";

/** The name of anything that people name: any script, no control characters. */
export const name = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(/^[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$/, "no control characters")
  .refine((text) => text.isWellFormed(), "must be valid Unicode");

export const description = z
  .string()
  .trim()
  .max(1000)
  .refine((text) => !text.includes("\0") && text.isWellFormed(), "no NUL, valid Unicode");

/** The header by which a stream of events goes on after what was read already. */
export const lastEventId = z.object({
  "last-event-id": z
    .string()
    .regex(/^\d{1,15}$/)
    .optional(),
});
