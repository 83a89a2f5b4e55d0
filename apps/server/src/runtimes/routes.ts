import { runtimeRoutes } from "@syla/contracts/runtimes";
import { Tier } from "@syla/contracts/runs";
import type { Http } from "../access/http.ts";
import type { Environments } from "../environments/service.ts";
import { profileLimits } from "../runs/service.ts";
import type { Sandboxes } from "../sandboxes/service.ts";
import type { Runtimes } from "./service.ts";

const profileNames = ["small", "medium", "large"] as const;

/** Binds the languages, and what else may be chosen for what runs in them. */
export function registerRuntimeRoutes(
  http: Http,
  runtimes: Runtimes,
  environments: Pick<Environments, "packagesOf">,
  sandboxes: Pick<Sandboxes, "defaultTier" | "tiers">,
): void {
  http.bind(runtimeRoutes.getRunOptions, async () => ({
    defaultTier: sandboxes.defaultTier,
    tiers: (await sandboxes.tiers()).map(({ tier, available, reason }) => ({ tier: Tier.parse(tier), available, reason })),
    profiles: profileNames.map((name) => ({ name, limits: profileLimits[name] })),
  }));
  http.bind(runtimeRoutes.listRuntimes, () => ({
    items: runtimes.list().map((runtime) => ({ ...runtime, packages: environments.packagesOf(runtime) })),
  }));
}
