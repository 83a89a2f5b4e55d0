import { AppError, errorCatalog } from "@syla/contracts/errors";
import type { Check, TierReport } from "@syla/contracts/system";
import { NamespaceTier } from "@syla/sandbox/namespace-tier";
import type { GatewayHandler } from "@syla/sandbox/run-network";
import type { PoolReport, RuntimeSpec, SandboxRun, SandboxSpec, SessionSpec, Tier } from "@syla/sandbox/spec";
import type { Session } from "@syla/sandbox/session";
import { checkMachine } from "./checks.ts";
import { requireWallPrograms } from "./programs.ts";

export { findProgram } from "./programs.ts";

/** The tiers of this server. */
export interface Sandboxes {
  /** The tier that runs take when they do not ask for one. */
  readonly defaultTier: "namespace";
  /** Runs can have the network policy `gateway`. */
  readonly hasGateway: boolean;
  /** @throws AppError `tier_unavailable` */
  requireTier(name: string): void;
  start(tier: string, spec: SandboxSpec): Promise<SandboxRun>;
  /** Opens a long-lived sandbox. */
  open(tier: string, spec: SessionSpec): Promise<Session>;
  /** Makes sandboxes ahead for runtimes that will be wanted. */
  warm(runtimes: readonly RuntimeSpec[]): void;
  /** Ends what is kept ready for a tenant who will not come again. */
  dismiss(tenant: string): void;
  /** What each tier keeps ready now. */
  pools(): readonly (PoolReport & { readonly tier: string })[];
  report(): Promise<{ checks: Check[]; tiers: TierReport[] }>;
  stop(): Promise<void>;
}

/** What the tiers are made with. */
export interface SandboxesOptions {
  /** Folder for sockets and workspaces. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly slots: number;
  readonly mergePages: boolean;
  /** Remembers over restarts how many sandboxes were wanted at which hour. */
  readonly historyFile: string;
  /** Private networks that runs with a network may reach all the same. */
  readonly networkAllowPrivate: readonly string[];
  /** Where built dependencies are; runs find theirs below `/layers`. */
  readonly layers: string;
  /** Takes connections for the model gateway. */
  readonly gateway?: GatewayHandler;
}

/** Opens what this machine can do. A tier that cannot be had is reported with its reason, never replaced by another. */
export function openSandboxes(options: SandboxesOptions): Sandboxes {
  const tiers = new Map<string, Tier | AppError>([
    [
      "namespace",
      tryTier(() => {
        const { folder, layers, slots: slotsPerJail, historyFile, mergePages, networkAllowPrivate: allowPrivate, gateway } = options;
        return new NamespaceTier({
          folder,
          layers,
          programs: requireWallPrograms(),
          slotsPerJail,
          historyFile,
          mergePages,
          network: { allowPrivate, ...(gateway !== undefined && { gateway }) },
        });
      }),
    ],
    ["microvm", new AppError("tier_unavailable", { message: "The microvm tier is not part of this version." })],
    ["kubernetes", new AppError("tier_unavailable", { message: "The kubernetes tier is not part of this version." })],
  ]);
  const get = (name: string): Tier => {
    const tier = tiers.get(name);
    if (tier instanceof AppError || tier === undefined) throw tier ?? new AppError("tier_unavailable");
    return tier;
  };
  const available = () => [...tiers.values()].filter((tier): tier is Tier => !(tier instanceof AppError));
  return {
    defaultTier: "namespace",
    hasGateway: options.gateway !== undefined,
    requireTier: (name) => void get(name),
    start: (tier, spec) => get(tier).start(spec),
    open: (tier, spec) => get(tier).open(spec),
    warm: (runtimes) => {
      for (const tier of available()) tier.warm(runtimes);
    },
    dismiss: (tenant) => {
      for (const tier of available()) tier.dismiss(tenant);
    },
    pools: () => available().flatMap((tier) => tier.pools().map((pool) => ({ ...pool, tier: tier.name }))),
    report: async () => ({
      checks: await checkMachine(options.dataDirectory),
      tiers: await Promise.all([...tiers].map(([name, tier]) => reportTier(name, tier))),
    }),
    stop: async () => {
      await Promise.all(available().map((tier) => tier.stop()));
    },
  };
}

function tryTier(create: () => Tier): Tier | AppError {
  try {
    return create();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

async function reportTier(name: string, tier: Tier | AppError): Promise<TierReport> {
  if (tier instanceof AppError)
    return {
      tier: name,
      available: false,
      reason: tier.hint === errorCatalog.tier_unavailable.hint ? tier.message : `${tier.message} ${tier.hint}`,
      walls: [],
      limits: {},
    };
  const report = await tier.report();
  return { ...report, walls: [...report.walls], limits: { ...report.limits } };
}
