import { chownSync, chmodSync, renameSync } from "node:fs";
import { join } from "node:path";
import { imageFiles } from "./guest-image.ts";
import { FirecrackerApi } from "./firecracker-api.ts";
import { copySparse, scratchName, type Snapshot } from "./snapshot.ts";
import { channels, inside, kernelWords, type GuestSpec, type Monitor, type MonitorPlace, type Vmm } from "./vmm.ts";

/** Firecracker: a machine as its API makes it. Source: src/firecracker/swagger/firecracker.yaml and docs/snapshotting of its repository. */

const mebibyte = 1 << 20;
const apiSocket = "api.sock";
/** Firecracker adds a port's number to it where a guest connects to the host. */
const vsock = "vsock.sock";
const guestNumber = 3;
/** Files of a state, first in the machine's folder, then where it is kept. */
const [stateName, memoryName] = ["state", "memory"] as const;

/** Firecracker as a monitor. */
export function firecracker(program: string): Vmm {
  const ports = Object.fromEntries(channels.map((name, index) => [name, `${vsock}_${index + 1}`])) as Vmm["channels"];
  return {
    wall: "firecracker (kvm)",
    usesKvm: true,
    program,
    // To keep a machine cuts its guest's connections.
    outlivesKeeping: false,
    channels: ports,
    sockets: [],
    console: null,
    words: () => ["--id", "machine", "--api-sock", `${inside.machine}/${apiSocket}`],
    open: async (place) => {
      const api = await FirecrackerApi.connect(place.folder, apiSocket);
      await (place.guest.goesOn ? load(api) : boot(api, place.guest));
      return createMonitor(api, place);
    },
  };
}

async function boot(api: FirecrackerApi, { memoryBytes, processors, drives }: GuestSpec): Promise<void> {
  await api.put("/machine-config", { vcpu_count: evenly(processors), mem_size_mib: Math.ceil(memoryBytes / mebibyte), smt: false });
  await api.put("/boot-source", {
    kernel_image_path: `${inside.image}/${imageFiles.plainKernel}`,
    initrd_path: inside.initrd,
    boot_args: [...kernelWords, "reboot=k", "pci=off"].join(" "),
  });
  await putDrive(api, "system", `${inside.image}/${imageFiles.root}`, true);
  await putDrive(api, "scratch", `${inside.machine}/${scratchName}`, false);
  for (const [index, file] of drives.entries()) await putDrive(api, driveName(index), `${inside.shown}/${file}`, true);
  await api.put("/vsock", { guest_cid: guestNumber, uds_path: `${inside.machine}/${vsock}` });
  await api.put("/entropy", {});
  await api.put("/actions", { action_type: "InstanceStart" });
}

/** The memory is mapped, not read: what no machine writes to is there once for all of them. */
async function load(api: FirecrackerApi): Promise<void> {
  const memory = { backend_type: "File", backend_path: `${inside.kept}/${memoryName}` };
  await api.put("/snapshot/load", { snapshot_path: `${inside.kept}/${stateName}`, mem_backend: memory, resume_vm: true });
}

function createMonitor(api: FirecrackerApi, { folder }: MonitorPlace): Monitor {
  const pause = (wanted: boolean) => api.patch("/vm", { state: wanted ? "Paused" : "Resumed" });
  return {
    pause,
    change: (drive, file) => {
      const id = driveName(drive);
      return api.patch(`/drives/${id}`, { drive_id: id, path_on_host: `${inside.shown}/${file}` });
    },
    keep: async (target) => {
      await pause(true);
      const paths = { snapshot_path: `${inside.machine}/${stateName}`, mem_file_path: `${inside.machine}/${memoryName}` };
      await api.put("/snapshot/create", { snapshot_type: "Full", ...paths });
      for (const name of [stateName, memoryName]) moveToOurs(join(folder, name), join(target, name));
      const snapshot: Snapshot = { state: join(target, stateName), memory: join(target, memoryName), scratch: join(target, scratchName) };
      await copySparse(join(folder, scratchName), snapshot.scratch);
      return snapshot;
    },
  };
}

/** What a machine has written, and no machine may write to any more. */
function moveToOurs(source: string, target: string): void {
  renameSync(source, target);
  if (process.getuid?.() === 0) chownSync(target, 0, 0);
  chmodSync(target, 0o444);
}

async function putDrive(api: FirecrackerApi, id: string, path: string, readOnly: boolean): Promise<void> {
  const drive = { drive_id: id, path_on_host: path, is_root_device: false, is_read_only: readOnly };
  await api.put(`/drives/${id}`, drive);
}

function driveName(drive: number): string {
  return `shown_${drive}`;
}

/** One processor, or an even number of them. */
function evenly(processors: number): number {
  return processors === 1 ? 1 : 2 * Math.ceil(processors / 2);
}
