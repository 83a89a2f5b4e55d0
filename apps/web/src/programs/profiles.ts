import type { ProgramRunInputDraft, RunOptions } from "@syla/sdk";
import { useRunOptions } from "../runs/queries.ts";
import { formatBytes, formatDuration } from "../ui/format.ts";

export type Profile = NonNullable<ProgramRunInputDraft["profile"]>;

/** The sizes that a program and its runs may have, as the server has them. */
export function useProfiles(): readonly { readonly value: Profile; readonly label: string }[] {
  const options = useRunOptions();
  return (options.data?.profiles ?? []).map((profile) => ({
    value: profile.name,
    label: `${profile.name}: ${describeSize(profile)}, ${formatDuration(profile.limits.wallMs ?? 0)}`,
  }));
}

/** What a size gives, without its time. */
export function describeSize({ limits: { cpus = 1, memoryBytes = 0, diskBytes = 0 } }: RunOptions["profiles"][number]): string {
  return `${cpus} ${cpus > 1 ? "cores" : "core"}, ${formatBytes(memoryBytes)} of memory, ${formatBytes(diskBytes)} of disk`;
}
