import { z } from "zod";

const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;
/** A sandbox lives no longer, whoever asks. */
export const maxHardEndMs = 7 * 24 * hourMs;

export const noNul = (what: string) => z.string().refine((text) => !text.includes("\0"), `${what} must not contain NUL`);
/** Variables of a process. */
export const Environment = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z_][A-Za-z0-9_]*$/)
      .max(256),
    noNul("a value").pipe(z.string().max(131_072)),
  )
  .default({});

/** The folder that something begins in. */
export const cwd = noNul("a folder").pipe(z.string().min(1).max(4096)).optional().describe("relative to /workspace, which is the default");

export const params = z.object({ id: z.string().max(64) });
/** Of whatever needs the sandbox to be there, and to run. */
export const liveErrors = ["not_found", "sandbox_starting", "sandbox_ended", "sandbox_paused", "sandbox_elsewhere"] as const;
/** Of whatever names a file in it besides. */
export const fileErrors = [...liveErrors, "path_not_found", "path_exists", "path_refused"] as const;
export const base = "/api/v1/sandboxes";
export const common = { tag: "sandboxes", auth: "user" } as const;
