import { expect, it } from "vitest";
import type { SandboxSpec } from "../src/spec.ts";
import { Watchdog } from "../src/watchdog.ts";

it("lets a run send its artifacts and what becomes of its workspace, and nothing more", () => {
  const spec = { limits: { wallMs: 60_000, outputBytes: 0 }, artifacts: { maxBytes: 10 }, returns: { maxBytes: 5 } } as SandboxSpec;
  const watchdog = new Watchdog(spec, () => undefined);
  try {
    watchdog.saw({ type: "artifact-data", data: Buffer.alloc(15) });
    expect(() => watchdog.saw({ type: "artifact-data", data: Buffer.alloc(1) })).toThrow("more than the run may");
  } finally {
    watchdog.stop();
  }
});
