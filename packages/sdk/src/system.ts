import type { RouteOutput } from "@syla/contracts/route";
import type { systemRoutes } from "@syla/contracts/system";
import type { CallOptions, Transport } from "./transport.ts";

/** What works on the server's machine. */
export type DoctorReport = RouteOutput<typeof systemRoutes.getDoctor>;
export type ServerInfo = RouteOutput<typeof systemRoutes.getServer>;

/** The server itself. */
export interface System {
  info(options?: CallOptions): Promise<ServerInfo>;
  doctor(options?: CallOptions): Promise<DoctorReport>;
  /** Resolves when the process is alive; rejects otherwise. */
  health(options?: CallOptions): Promise<void>;
  /** Resolves when the server can take work; rejects with the reason otherwise. A single try. */
  ready(options?: CallOptions): Promise<void>;
}

export function createSystem(transport: Transport): System {
  return {
    info: (options = {}) => transport.json("getServer", options),
    doctor: (options = {}) => transport.json("getDoctor", options),
    health: async (options = {}) => void (await transport.json("getHealth", { ...options, repeatable: false })),
    ready: async (options = {}) => void (await transport.json("getReady", { ...options, repeatable: false })),
  };
}
