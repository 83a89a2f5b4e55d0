import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { GvisorTier, type GvisorTierOptions } from "../../src/gvisor/gvisor-tier.ts";

const programs = { bwrap: "/usr/bin/bwrap", python: "/usr/bin/python3", runsc: "/usr/bin/runsc" };

/** Why no container can be tried here; null: they can. */
export const missing: string | null = existsSync(programs.runsc) ? null : "runsc is not installed. As root: apt-get install runsc";

export interface TestContainers extends AsyncDisposable {
  readonly tier: GvisorTier;
  readonly folder: string;
}

/** A tier in a folder of its own. Dispose it: ends everything and removes the folder. */
export function createContainers(options: Partial<GvisorTierOptions> = {}): TestContainers {
  const parent = mkdtempSync(join(tmpdir(), "syla-gvisor-"));
  const folder = join(parent, "containers");
  const tier = new GvisorTier({ folder, programs, platform: "ptrace", ...options });
  const dispose = async () => {
    await tier.stop();
    rmSync(parent, { recursive: true, force: true });
  };
  return { tier, folder, [Symbol.asyncDispose]: dispose };
}
