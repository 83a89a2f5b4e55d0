import { AppError } from "@syla/contracts/errors";
import type { LeastTier, Tier } from "@syla/contracts/runs";
import type { Queries } from "../platform/database.ts";
import type { Sandboxes } from "./service.ts";
import { listTeamTiers } from "./store.ts";

/** Whether a tier is as strong as another one. Only a kernel of its own is stronger than the others: pods share that of their node. */
export function isAtLeast(tier: string, least: LeastTier): boolean {
  return least === "namespace" || tier === least;
}

/** What somebody wants of the isolation of a run or a sandbox. */
export interface TierWish {
  readonly ownerId: string;
  /** What was asked for. */
  readonly asked: Tier | undefined;
  /** What the program asks for, or those that it is made of. */
  readonly ofProgram?: LeastTier | undefined;
}

/**
 * The tier that was asked for, or else the default one, or a stronger one where the server, a team of the owner or the program asks for that.
 *
 * @throws AppError `tier_too_weak` when less was asked for than has to be, `tier_unavailable`
 */
export async function chooseTier(
  { sandboxes, queries }: { readonly sandboxes: Pick<Sandboxes, "defaultTier" | "leastTier" | "requireTier">; readonly queries: Queries },
  { ownerId, asked, ofProgram = "namespace" }: TierWish,
): Promise<Tier> {
  const demands = [
    { by: "this server", least: sandboxes.leastTier },
    { by: "the program", least: ofProgram },
    ...(await listTeamTiers(queries, ownerId)).map(({ name, least }) => ({ by: `the team ${JSON.stringify(name)}`, least })),
  ];
  const wished = asked ?? sandboxes.defaultTier;
  const demand = demands.find(({ least }) => !isAtLeast(wished, least));
  if (demand !== undefined && asked !== undefined) {
    const message = `${capitalized(demand.by)} asks for the tier ${demand.least} at least, and ${asked} is weaker.`;
    throw new AppError("tier_too_weak", { message, details: { asked, least: demand.least } });
  }
  const tier = demand?.least ?? wished;
  sandboxes.requireTier(tier);
  return tier;
}

function capitalized(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
