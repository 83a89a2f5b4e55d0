import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machinePrograms } from "@syla/testkit/guest";
import type { GuestImage } from "../../src/microvm/guest-image.ts";
import { MicrovmTier, type MicrovmTierOptions } from "../../src/microvm/microvm-tier.ts";

export interface TestMachines extends AsyncDisposable {
  readonly tier: MicrovmTier;
  readonly folder: string;
}

/** A tier in a folder of its own, emulated. Dispose it: ends everything and removes the folder. */
export function createMachines(image: GuestImage, options: Partial<MicrovmTierOptions> = {}): TestMachines {
  const parent = mkdtempSync(join(tmpdir(), "syla-machines-"));
  const folder = join(parent, "machines");
  const programs = { ...machinePrograms, python: "/usr/bin/python3" };
  const tier = new MicrovmTier({ folder, image, programs, accelerator: "tcg", ...options });
  const dispose = async () => {
    await tier.stop();
    rmSync(parent, { recursive: true, force: true });
  };
  return { tier, folder, [Symbol.asyncDispose]: dispose };
}
