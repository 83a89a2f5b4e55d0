/** US dollars: cents, and more digits where it is less; `unknown` where nobody knows, which is not nothing. */
export function formatDollars(value: number | null): string {
  if (value === null) return "unknown";
  if (value === 0 || Math.abs(value) >= 0.01)
    return `$${value.toLocaleString("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
  return `$${value.toPrecision(2)}`;
}
