import type { RuntimeSpec, SandboxLimits } from "@syla/sandbox/spec";

const mebibyte = 1024 * 1024;

/**
 * Fills in what of a command depends on the run: `{heapMiB}` is three quarters of its memory limit, `{class}` the compiled class that
 * belongs to the entrypoint, wherever in the source tree its package begins.
 */
export function resolveCommand(spec: RuntimeSpec, entrypoint: string, compiled: readonly string[], limits: SandboxLimits): RuntimeSpec {
  const heap = String(Math.max(1, Math.floor((limits.memoryBytes * 0.75) / mebibyte)));
  const command = spec.command.map((word) => word.replace("{heapMiB}", heap).replace("{class}", () => className(entrypoint, compiled)));
  return { ...spec, command };
}

function className(entrypoint: string, compiled: readonly string[]): string {
  const stem = entrypoint.replace(/\.[^./]*$/, "");
  const classes = compiled.flatMap((path) => (path.endsWith(".class") ? [path.replace(/^[^/]*\//, "").slice(0, -".class".length)] : []));
  const found = classes.filter((name) => stem === name || stem.endsWith(`/${name}`)).toSorted((a, b) => b.length - a.length)[0];
  return (found ?? (classes.length === 1 ? classes[0] : undefined) ?? stem).replaceAll("/", ".");
}
