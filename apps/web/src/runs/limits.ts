import type { LimitsInput } from "@syla/sdk";
import { formatBytes, formatCount, formatDuration } from "../ui/format.ts";

export type LimitName = keyof LimitsInput;

/** How a limit is named, shown, and typed: `factor` turns what is typed into what is sent. */
export interface LimitField {
  readonly name: LimitName;
  readonly label: string;
  readonly unit: string;
  readonly factor: number;
  readonly format: (value: number) => string;
}

const mebibyte = 1024 * 1024;

/** The limits in the order in which they are shown. */
export const limitFields: readonly LimitField[] = [
  { name: "wallMs", label: "Time", unit: "seconds", factor: 1000, format: formatDuration },
  { name: "cpus", label: "CPU", unit: "cores", factor: 1, format: (value) => `${value} ${value === 1 ? "core" : "cores"}` },
  { name: "memoryBytes", label: "Memory", unit: "MiB", factor: mebibyte, format: formatBytes },
  { name: "processes", label: "Processes", unit: "processes and threads", factor: 1, format: formatCount },
  { name: "openFiles", label: "Open files", unit: "files", factor: 1, format: formatCount },
  { name: "diskBytes", label: "Disk", unit: "MiB", factor: mebibyte, format: formatBytes },
  { name: "outputBytes", label: "Output", unit: "MiB", factor: mebibyte, format: formatBytes },
];
