/** A price or a cost as people read it; `unknown` where nobody knows it. */
export function dollars(value: number | null): string {
  if (value === null) return "unknown";
  return `$${value === 0 || value >= 0.01 ? value.toFixed(2) : value.toPrecision(2)}`;
}
