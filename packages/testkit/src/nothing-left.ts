import { deepStrictEqual } from "node:assert/strict";
import { afterAll, vi } from "vitest";
import { commandLine, descendants } from "./host-state.ts";

/** Set-up of files that share a process: what one leaves behind would be the next one's, so it fails. */

const state = () => ({ folder: process.cwd(), variables: { ...process.env }, isClockTurned: vi.isFakeTimers() });
const before = state();

afterAll(async () => {
  deepStrictEqual(state(), before);
  await vi.waitFor(() => deepStrictEqual([...descendants(process.pid)].map(commandLine), []), { timeout: 20_000 });
});
