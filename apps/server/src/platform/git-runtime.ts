import type { RuntimeSpec } from "@syla/sandbox/spec";

/** Git in a sandbox, by a script of ours that is the entrypoint. */
export const gitRuntime: RuntimeSpec = {
  name: "git",
  pooling: "cold",
  mounts: [],
  binary: "/bin/sh",
  command: ["{binary}", "{entrypoint}"],
  preimport: [],
  env: {},
  bootVariables: [],
  reservesMemory: false,
};
