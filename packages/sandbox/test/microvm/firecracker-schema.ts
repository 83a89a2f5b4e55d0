import { z } from "zod";

/**
 * What Firecracker's API takes, as far as it is asked here. Source: src/firecracker/swagger/firecracker.yaml of its repository at commit
 * 004d935399ba (API version 1.17.0-dev), which says of each request what is required and what values there are.
 */

const path = z.string().min(1);

const MachineConfiguration = z.strictObject({
  vcpu_count: z
    .int()
    .min(1)
    .max(32)
    .refine((count) => count === 1 || count % 2 === 0),
  mem_size_mib: z.int().positive(),
  smt: z.boolean().optional(),
  track_dirty_pages: z.boolean().optional(),
  huge_pages: z.enum(["None", "Transparent", "2M"]).optional(),
});

const BootSource = z.strictObject({ kernel_image_path: path, initrd_path: path.optional(), boot_args: z.string().optional() });

const Drive = z.strictObject({
  drive_id: z.string().regex(/^\w+$/),
  is_root_device: z.boolean(),
  path_on_host: path,
  is_read_only: z.boolean(),
  cache_type: z.enum(["Unsafe", "Writeback"]).optional(),
  io_engine: z.enum(["Sync", "Async"]).optional(),
});

const PartialDrive = z.strictObject({ drive_id: z.string(), path_on_host: path.optional() });
const Vsock = z.strictObject({ guest_cid: z.int().min(3), uds_path: path });
const EntropyDevice = z.strictObject({});
const InstanceActionInfo = z.strictObject({ action_type: z.enum(["FlushMetrics", "InstanceStart", "SendCtrlAltDel"]) });
const Vm = z.strictObject({ state: z.enum(["Paused", "Resumed"]) });

const SnapshotCreateParams = z.strictObject({
  mem_file_path: path,
  snapshot_path: path,
  snapshot_type: z.enum(["Full", "Diff"]).optional(),
});

const SnapshotLoadParams = z.strictObject({
  snapshot_path: path,
  mem_backend: z.strictObject({ backend_type: z.enum(["File", "Uffd"]), backend_path: path }),
  resume_vm: z.boolean().optional(),
  track_dirty_pages: z.boolean().optional(),
});

/** When a request is taken: before the machine has started, or after. */
type Stage = "before" | "after";

const requests: readonly { readonly method: string; readonly path: RegExp; readonly body: z.ZodType; readonly stage: Stage }[] = [
  { method: "PUT", path: /^\/machine-config$/, body: MachineConfiguration, stage: "before" },
  { method: "PUT", path: /^\/boot-source$/, body: BootSource, stage: "before" },
  { method: "PUT", path: /^\/drives\/\w+$/, body: Drive, stage: "before" },
  { method: "PATCH", path: /^\/drives\/\w+$/, body: PartialDrive, stage: "after" },
  { method: "PUT", path: /^\/vsock$/, body: Vsock, stage: "before" },
  { method: "PUT", path: /^\/entropy$/, body: EntropyDevice, stage: "before" },
  { method: "PUT", path: /^\/actions$/, body: InstanceActionInfo, stage: "before" },
  { method: "PATCH", path: /^\/vm$/, body: Vm, stage: "after" },
  { method: "PUT", path: /^\/snapshot\/create$/, body: SnapshotCreateParams, stage: "after" },
  { method: "PUT", path: /^\/snapshot\/load$/, body: SnapshotLoadParams, stage: "before" },
];

/** What Firecracker would say to a request; null: nothing, it is carried out. */
export function findFault(method: string, url: string, body: unknown, hasStarted: boolean): string | null {
  const request = requests.find((candidate) => candidate.method === method && candidate.path.test(url));
  if (request === undefined) return `Invalid request method and/or path: ${method} ${url}.`;
  if ((request.stage === "after") !== hasStarted) return "The requested operation is not supported in the current state.";
  const { drive_id: drive } = z.object({ drive_id: z.string().optional() }).loose().parse(body);
  if (drive !== undefined && url !== `/drives/${drive}`) return "The id from the path does not match the id from the body!";
  const parsed = request.body.safeParse(body);
  return parsed.success ? null : z.prettifyError(parsed.error);
}
