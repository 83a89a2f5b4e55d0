import { AppError, errorCatalog } from "@syla/contracts/errors";
import type { Check, TierReport } from "@syla/contracts/system";
import type { AgentCode } from "@syla/sandbox/agent-code";
import { GvisorTier } from "@syla/sandbox/gvisor/gvisor-tier";
import type { GvisorPlatform } from "@syla/sandbox/gvisor/runsc";
import { MicrovmTier } from "@syla/sandbox/microvm/microvm-tier";
import { NamespaceTier } from "@syla/sandbox/namespace-tier";
import type { GatewayHandler } from "@syla/sandbox/run-network";
import type { Tier as RunTier } from "@syla/contracts/runs";
import type { PoolReport, RuntimeSpec, SandboxRun, SandboxSpec, SessionSpec, Tier, TierReport as EngineReport } from "@syla/sandbox/spec";
import type { Session } from "@syla/sandbox/session";
import { checkMachine, checkMachines } from "./checks.ts";
import { openKubernetes, type KubernetesSettings } from "./kubernetes.ts";
import { keepReports } from "./kept-reports.ts";
import { requireGvisor, requireMachineParts, requireWallPrograms } from "./programs.ts";

export { findProgram } from "./programs.ts";
export type { SavedFiles } from "./workspace.ts";

/** The tiers of this server. */
export interface Sandboxes {
  /** The tier that runs take when they do not ask for one. */
  readonly defaultTier: RunTier;
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
  /** Tries each tier, and looks at the machine. */
  report(): Promise<{ checks: Check[]; tiers: TierReport[] }>;
  /** Each tier, as it was found when it was tried lately. */
  tiers(): Promise<TierReport[]>;
  stop(): Promise<void>;
}

/** What the tiers are made with. */
export interface SandboxesOptions {
  /** Folder for sockets and workspaces. */
  readonly folder: string;
  readonly dataDirectory: string;
  readonly defaultTier: RunTier;
  readonly slots: number;
  /** Jails at once that belong to tenants. */
  readonly jails: number;
  /** Jails of a kind at most that are made before somebody wants them. */
  readonly maxSpares?: number;
  /** A compiled copy of the agent that others use as well. */
  readonly agent?: AgentCode;
  readonly mergePages: boolean;
  /** Remembers over restarts how many sandboxes were wanted at which hour. */
  readonly historyFile: string;
  /** Private networks that runs with a network may reach all the same. */
  readonly networkAllowPrivate: readonly string[];
  /** Where built dependencies are; runs find theirs below `/layers`. */
  readonly layers: string;
  /** Where trees lie ready. */
  readonly trees: string;
  /** Folder of gVisor's containers. */
  readonly containers: string;
  readonly gvisorPlatform: GvisorPlatform;
  /** Folder of the virtual machines. */
  readonly machines: string;
  /** What runs the instructions of virtual machines. */
  readonly accelerator: "auto" | "kvm" | "tcg";
  /** Where images are that virtual machines boot from. */
  readonly guests: string;
  /** Pods of a cluster. */
  readonly kubernetes: KubernetesSettings;
  /** Takes connections for the model gateway. */
  readonly gateway?: GatewayHandler;
}

/** Opens what this machine can do. A tier that cannot be had is reported with its reason, never replaced by another. */
export function openSandboxes(options: SandboxesOptions): Sandboxes {
  const tiers = new Map<string, Tier | AppError>([
    [
      "namespace",
      tryTier(() => {
        const {
          folder,
          layers,
          trees,
          slots: slotsPerJail,
          jails: maxJails,
          historyFile,
          mergePages,
          networkAllowPrivate: allowPrivate,
          gateway,
          maxSpares,
          agent,
        } = options;
        return new NamespaceTier({
          folder,
          layers,
          trees,
          programs: requireWallPrograms(),
          slotsPerJail,
          maxJails,
          historyFile,
          mergePages,
          network: { allowPrivate, ...(gateway !== undefined && { gateway }) },
          ...(maxSpares !== undefined && { maxSpares }),
          ...(agent !== undefined && { agent }),
        });
      }),
    ],
    ["gvisor", tryTier(() => openContainers(options))],
    ["microvm", tryTier(() => openMachines(options))],
    ["kubernetes", tryTier(() => openKubernetes(options.kubernetes))],
  ]);
  const get = (name: string): Tier => {
    const tier = tiers.get(name);
    if (tier instanceof AppError || tier === undefined) throw tier ?? new AppError("tier_unavailable");
    return tier;
  };
  const available = () => [...tiers.values()].filter((tier): tier is Tier => !(tier instanceof AppError));
  const reports = keepReports(() => Promise.all(available().map((tier) => tier.report())));
  const toReports = (found: readonly EngineReport[]) =>
    [...tiers].flatMap(([name, tier]) =>
      tier instanceof AppError ? [toMissing(name, tier)] : found.filter((report) => report.tier === name).map(toReport),
    );
  return {
    defaultTier: options.defaultTier,
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
    report: async () => {
      const found = await reports.tryAll();
      const known = toReports(found);
      const machines = checkMachines(
        known.find(({ tier }) => tier === "microvm"),
        options.guests,
      );
      return { checks: [...(await checkMachine(options.dataDirectory, found)), machines], tiers: known };
    },
    tiers: async () => toReports(await reports.last()),
    stop: async () => {
      await Promise.all(available().map((tier) => tier.stop()));
    },
  };
}

function openContainers({ containers: folder, gvisorPlatform: platform, layers }: SandboxesOptions): Tier {
  return new GvisorTier({ folder, platform, layers, programs: requireGvisor() });
}

function openMachines({ machines: folder, guests, accelerator }: SandboxesOptions): Tier {
  return new MicrovmTier({ folder, ...requireMachineParts(guests), ...(accelerator === "auto" ? {} : { accelerator }) });
}

function tryTier(create: () => Tier): Tier | AppError {
  try {
    return create();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
}

function toReport({ refusal, files: _files, ...report }: EngineReport): TierReport {
  const reason = refusal === undefined ? report.reason : `${report.reason ?? ""} ${refusal.fix}.`;
  return { ...report, reason, walls: [...report.walls], limits: { ...report.limits } };
}

function toMissing(tier: string, error: AppError): TierReport {
  const reason = error.hint === errorCatalog.tier_unavailable.hint ? error.message : `${error.message} ${error.hint}`;
  return { tier, available: false, reason, walls: [], limits: {} };
}
