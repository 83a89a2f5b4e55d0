import type { StorageJob, StorageStatus } from "@syla/contracts/storage";
import type { CallOptions, Transport } from "./transport.ts";

/** The care of stored content. For administrators. */
export interface Storage {
  status(options?: CallOptions): Promise<StorageStatus>;
  /** Begins a job, which goes on by itself. */
  start(kind: StorageJob["kind"], options?: CallOptions): Promise<StorageJob>;
  /** How far a job is. */
  job(id: string, options?: CallOptions): Promise<StorageJob>;
  /** Stops a job; it has ended a moment later. */
  stop(id: string, options?: CallOptions): Promise<StorageJob>;
}

export function createStorage(transport: Transport): Storage {
  return {
    status: (options = {}) => transport.json("getStorage", options),
    start: (kind, options = {}) => transport.json("startStorageJob", { ...options, body: { kind } }),
    stop: (id, options = {}) => transport.json("stopStorageJob", { ...options, params: { id } }),
    job: (id, options = {}) => transport.json("getStorageJob", { ...options, params: { id } }),
  };
}
