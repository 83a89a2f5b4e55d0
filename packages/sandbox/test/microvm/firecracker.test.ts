import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, onTestFinished, test } from "vitest";
import { firecracker } from "../../src/microvm/firecracker.ts";
import { jailWords, type GuestSpec } from "../../src/microvm/vmm.ts";
import { findFault } from "./firecracker-schema.ts";

/** Firecracker is no part of any machine that these tests run on: its API is a stand-in that takes what its documentation says, and nothing else. */

const mebibyte = 1 << 20;
const guest: GuestSpec = { memoryBytes: 300 * mebibyte, processors: 3, drives: ["toolchain", "empty", "empty"], goesOn: false };
const vmm = firecracker("/usr/bin/firecracker");

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: unknown;
}

/** The API of one machine in a folder. `carryOut` does what a request is for. */
async function serveApi(carryOut: (asked: Asked, folder: string) => void = () => {}) {
  const folder = mkdtempSync(join(tmpdir(), "syla-firecracker-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const asked: Asked[] = [];
  const faults: string[] = [];
  let hasStarted = false;
  const server = createServer((request, response) => {
    void text(request).then((content) => {
      const [method = "", path = ""] = [request.method, request.url];
      if (method === "GET")
        return response.end(JSON.stringify({ id: "machine", state: "Not started", vmm_version: "1.17.0", app_name: "Firecracker" }));
      const body: unknown = JSON.parse(content);
      const fault = findFault(method, path, body, hasStarted);
      if (fault !== null) {
        faults.push(fault);
        response.statusCode = 400;
        return response.end(JSON.stringify({ fault_message: fault }));
      }
      asked.push({ method, path, body });
      if (path === "/actions" || path === "/snapshot/load") hasStarted = true;
      carryOut({ method, path, body }, folder);
      response.statusCode = 204;
      return response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(join(folder, "api.sock"), resolve));
  onTestFinished(() => void server.close());
  const open = (spec: GuestSpec = guest) =>
    vmm.open({ folder, uid: null, guest: spec, arrived: () => Promise.reject(new Error("it connects to nothing of its own")) });
  return { folder, asked, faults, open };
}

test("a machine is made by requests that Firecracker takes, in an order that it takes", async () => {
  const { asked, faults, open } = await serveApi();
  await open();
  expect(faults).toEqual([]);
  expect(asked.map(({ method, path }) => `${method} ${path}`)).toEqual([
    "PUT /machine-config",
    "PUT /boot-source",
    "PUT /drives/system",
    "PUT /drives/scratch",
    "PUT /drives/shown_0",
    "PUT /drives/shown_1",
    "PUT /drives/shown_2",
    "PUT /vsock",
    "PUT /entropy",
    "PUT /actions",
  ]);
  const bodies = new Map(asked.map(({ path, body }) => [path, body]));
  expect(bodies.get("/machine-config")).toEqual({ vcpu_count: 4, mem_size_mib: 300, smt: false });
  expect(bodies.get("/boot-source")).toMatchObject({ kernel_image_path: "/image/vmlinux", initrd_path: "/initrd" });
  expect(bodies.get("/drives/system")).toMatchObject({ path_on_host: "/image/root.squashfs", is_read_only: true });
  expect(bodies.get("/drives/scratch")).toMatchObject({ path_on_host: "/machine/scratch", is_read_only: false });
  expect(bodies.get("/drives/shown_0")).toMatchObject({ path_on_host: "/shown/toolchain", is_read_only: true });
});

test("it is paused and let go on, and its drives are changed while it runs", async () => {
  const { asked, faults, open } = await serveApi();
  const monitor = await open();
  await monitor.pause(true);
  await monitor.pause(false);
  await monitor.change(1, "packages");
  expect(faults).toEqual([]);
  expect(asked.slice(-3)).toEqual([
    { method: "PATCH", path: "/vm", body: { state: "Paused" } },
    { method: "PATCH", path: "/vm", body: { state: "Resumed" } },
    { method: "PATCH", path: "/drives/shown_1", body: { drive_id: "shown_1", path_on_host: "/shown/packages" } },
  ]);
});

test("it is kept while it stands still, in files that are ours alone, and others go on from there", async () => {
  const { folder, asked, faults, open } = await serveApi(({ path }, where) => {
    if (path !== "/snapshot/create") return;
    writeFileSync(join(where, "state"), "state");
    writeFileSync(join(where, "memory"), "memory");
  });
  writeFileSync(join(folder, "scratch"), "disk");
  const target = mkdtempSync(join(tmpdir(), "syla-kept-"));
  onTestFinished(() => rmSync(target, { recursive: true }));
  const snapshot = await (await open()).keep(target);
  expect(faults).toEqual([]);
  expect(asked.slice(-2).map(({ path }) => path)).toEqual(["/vm", "/snapshot/create"]);
  expect([snapshot.state, snapshot.memory ?? "", snapshot.scratch].map((file) => readFileSync(file, "utf8"))).toEqual([
    "state",
    "memory",
    "disk",
  ]);

  const next = await serveApi();
  await next.open({ ...guest, goesOn: true });
  expect([next.faults, next.asked]).toEqual([
    [],
    [
      {
        method: "PUT",
        path: "/snapshot/load",
        body: { snapshot_path: "/kept/state", mem_backend: { backend_type: "File", backend_path: "/kept/memory" }, resume_vm: true },
      },
    ],
  ]);
});

test("what it refuses is told with its reason", async () => {
  const { open } = await serveApi();
  await expect(open({ ...guest, processors: 40 })).rejects.toMatchObject({
    code: "sandbox_failed",
    message: expect.stringContaining("/machine-config"),
  });
});

test("it runs in the jail that every monitor runs in, with the device for KVM", () => {
  const words = jailWords(vmm, guest, true, (name) => `/stage/${name}`).join(" ");
  for (const part of ["--unshare-net", "--dev-bind /stage/kvm /dev/kvm", "--bind /stage/machine /machine", "--ro-bind /stage/kept /kept"])
    expect(words).toContain(part);
  expect(words).toMatch(/-- \/usr\/bin\/firecracker --id machine --api-sock \/machine\/api\.sock$/);
});
