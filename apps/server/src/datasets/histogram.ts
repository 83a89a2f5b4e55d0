/** So many parts while it is made, and at most so many that are shown. */
const parts = 512;
const shownParts = 16;
/** As many numbers are looked at before the parts are chosen. */
const firstNumbers = 256;
/** From the narrowest parts to the widest that a number can tell there are fewer steps; more of them would never end. */
const mostSteps = 2200;

/** How many numbers lie in each of some equal parts, told after one look at each. */
export interface Histogram {
  add(value: number): void;
  read(): { from: number; to: number; count: number }[] | null;
}

/** Counts exactly: when a number lies outside, the parts become twice as wide. */
export function createHistogram(): Histogram {
  let first: number[] | null = [];
  let low = 0;
  let width = 0;
  let counts: number[] = [];
  let [smallest, largest] = [Infinity, -Infinity];

  const begin = (numbers: readonly number[]) => {
    first = null;
    const range = largest - smallest;
    // A little wider than what was seen, so that the largest lies in the last part; and wider than nothing, however near the numbers are.
    width =
      range > 0 && Number.isFinite(range)
        ? Math.max((range / parts) * (1 + 1e-9), Number.MIN_VALUE)
        : Math.max(Math.abs(smallest) * 1e-9, 1 / parts);
    low = smallest;
    counts = Array.from({ length: parts }, () => 0);
    for (const value of numbers) place(value);
  };
  const widen = (downwards: boolean) => {
    const joined = Array.from({ length: parts / 2 }, (_, index) => (counts[2 * index] ?? 0) + (counts[2 * index + 1] ?? 0));
    const none = Array.from({ length: parts / 2 }, () => 0);
    if (downwards) low -= width * parts;
    width *= 2;
    counts = downwards ? [...none, ...joined] : [...joined, ...none];
  };
  const place = (value: number) => {
    const isBelow = () => value < low;
    const isAbove = () => value >= low + width * parts && Number.isFinite(width * parts);
    for (let step = 0; step < mostSteps && isBelow(); step += 1) widen(true);
    for (let step = 0; step < mostSteps && isAbove(); step += 1) widen(false);
    const at = Math.floor((value - low) / width);
    const index = Number.isNaN(at) ? 0 : Math.min(parts - 1, Math.max(0, at));
    counts[index] = (counts[index] ?? 0) + 1;
  };
  return {
    add: (value) => {
      smallest = Math.min(smallest, value);
      largest = Math.max(largest, value);
      if (first === null) return place(value);
      first.push(value);
      if (first.length === firstNumbers) begin(first);
    },
    read: () => {
      if (first !== null && first.length === 0) return null;
      if (first !== null) begin(first);
      const used = counts.flatMap((count, index) => (count > 0 ? [index] : []));
      const [begins, ends] = [used[0] ?? 0, (used.at(-1) ?? 0) + 1];
      const many = Math.min(shownParts, ends - begins);
      const borders = Array.from({ length: many + 1 }, (_, index) => begins + Math.round((index * (ends - begins)) / many));
      // Nothing lies outside of what was seen, whatever the first and the last part could hold.
      const at = (border: number) => Math.min(largest, Math.max(smallest, low + border * width));
      const shown = borders.slice(1).map((to, index) => {
        const from = borders[index] ?? begins;
        return { from: at(from), to: at(to), count: counts.slice(from, to).reduce((sum, one) => sum + one, 0) };
      });
      return shown.every(({ from, to }) => Number.isFinite(from) && Number.isFinite(to)) ? shown : null;
    },
  };
}
