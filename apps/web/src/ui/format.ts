const number = new Intl.NumberFormat("en-GB");
const relative = new Intl.RelativeTimeFormat("en-GB", { numeric: "auto", style: "narrow" });
const exact = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "long" });

/** A count with thousands separators. */
export function formatCount(value: number): string {
  return number.format(value);
}

/** "1 line", "2 lines": `formatPlural(2, "line")`. */
export function formatPlural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** Milliseconds for people: `7.4 ms`, `820 ms`, `3.2 s`, `4 m 05 s`, `2 h 10 m`. */
export function formatDuration(ms: number | null): string {
  if (ms === null) return "–";
  if (ms < 0.05) return "0 ms";
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`;
  const seconds = Math.floor(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor((seconds % 3600) / 60)).padStart(2, "0")} m`;
}

const byteUnits = ["B", "KiB", "MiB", "GiB", "TiB"];

/** Bytes in binary units: `512 B`, `1.5 KiB`, `256 MiB`. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < byteUnits.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 || Number.isInteger(value) ? 0 : 1;
  return `${value.toFixed(digits)} ${byteUnits[unit] ?? ""}`;
}

/** How long ago an instant was (`3 min ago`), in the largest unit that says something. */
export function formatAgo(iso: string, now: number): string {
  const seconds = Math.round((Date.parse(iso) - now) / 1000);
  const size = Math.abs(seconds);
  // A few seconds into the future is only a clock that differs from ours.
  if (size < 5 || (seconds > 0 && seconds < 15)) return "just now";
  if (size < 60) return relative.format(seconds, "second");
  if (size < 3600) return relative.format(Math.round(seconds / 60), "minute");
  if (size < 86_400) return relative.format(Math.round(seconds / 3600), "hour");
  return relative.format(Math.round(seconds / 86_400), "day");
}

/** The exact instant in the reader's zone. */
export function formatExact(iso: string): string {
  return exact.format(new Date(iso));
}
