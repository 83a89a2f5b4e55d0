import type { Socket } from "node:net";
import { createAddressRules } from "./egress/addresses.ts";
import type { NetworkUsage } from "./egress/connection-log.ts";
import type { EgressTimes } from "./egress/outbound.ts";
import { EgressProxy, type EgressSession } from "./egress/proxy.ts";
import type { Resolve } from "./egress/resolve.ts";
import type { RelayServer } from "./relay/relay-server.ts";
import { SandboxError, type SandboxSpec } from "./spec.ts";

/** What a run or a session says of its network. */
type NetworkWish = Pick<SandboxSpec, "tenant" | "network" | "ports" | "gatewayToken" | "hosts">;

/**
 * Takes a connection that a program made to its proxy, and that is for the gateway: every one with the policy `gateway`. The bytes are HTTP,
 * and hostile. `token`: the run's, null when it has none.
 */
export type GatewayHandler = (connection: Socket, run: { readonly tenant: string; readonly token: string | null }) => void;

/** Where the relay of a run is. */
export interface NetworkPlace {
  /** Null: it has none. */
  readonly relays: RelayServer | null;
  readonly slot: number;
  /** Ends all that is around it. */
  end(): unknown;
}

/** How runs get out. */
export interface NetworkOptions {
  /** Private networks that may be reached all the same: `10.1.0.0/16`, `10.1.2.3:5432`, `[fd00::]/8:443`. */
  readonly allowPrivate?: readonly string[];
  /** The model gateway; without one, no run can have the policy `gateway`. */
  readonly gateway?: GatewayHandler;
  /** How names become addresses; by default the machine's name servers say. */
  readonly resolve?: Resolve;
  readonly times?: Partial<EgressTimes>;
}

/** The network of one run. */
export interface RunNetwork {
  connect(port: number): Promise<Socket>;
  /** Null: the program has no way out. */
  usage(): NetworkUsage | null;
  /** Cuts everything. Resolves when nothing is left of it in the slot, or when the slot's jail is gone. Never rejects. */
  close(): Promise<void>;
}

/** Opens the networks of a tier's runs. */
export class RunNetworks {
  readonly #options: NetworkOptions;
  readonly #proxy: EgressProxy;

  constructor(options: NetworkOptions) {
    this.#options = options;
    const { resolve, times } = options;
    const rules = createAddressRules(options.allowPrivate);
    this.#proxy = new EgressProxy({ rules, ...(resolve && { resolve }), ...(times && { times }) });
  }

  /** Whether a run needs a jail with relays. @throws SandboxError `network_unavailable` */
  isWanted(spec: NetworkWish): boolean {
    if (spec.network === "gateway" && this.#options.gateway === undefined)
      throw new SandboxError("network_unavailable", "there is no model gateway here");
    return spec.ports === true || (spec.network !== undefined && spec.network !== "none");
  }

  /** @throws SandboxError `sandbox_failed` */
  async open({ relays, slot, end }: NetworkPlace, spec: NetworkWish): Promise<RunNetwork> {
    if (relays === null) throw new SandboxError("sandbox_failed", "the sandbox has no network");
    const session = this.#openSession(spec);
    const relay = await relays.openRun(slot, session === null ? null : (socket) => session.accept(socket));
    let closing: Promise<void> | null = null;
    const close = async () => {
      session?.close();
      // A relay that does not let go must not meet another run.
      await relay.close().catch(() => end());
    };
    return {
      connect: (port) => relay.connect(port),
      usage: () => session?.usage() ?? null,
      close: () => (closing ??= close()),
    };
  }

  #openSession(spec: NetworkWish): EgressSession | null {
    const { network = "none", tenant, gatewayToken: token = null, hosts } = spec;
    if (network === "none") return null;
    const { gateway } = this.#options;
    const enter = gateway === undefined ? null : (socket: Socket) => gateway(socket, { tenant, token });
    return this.#proxy.openSession(network, network === "gateway" || token !== null ? enter : null, hosts);
  }
}
