/** What ran in a kernel that lives, kept by the browser over a reload: which code each cell had then. */
export interface RanCells {
  /** The code that each cell ran with, by the cell's id. */
  readonly ran: ReadonlyMap<string, string>;
  /** The number of the last execution. */
  readonly count: number;
}

export const nothingRan: RanCells = { ran: new Map(), count: 0 };

const keyOf = (contextId: string) => `syla.kernel.${contextId}`;

export function readRan(contextId: string): RanCells {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(keyOf(contextId)) ?? "null");
    if (typeof found !== "object" || found === null || !("ran" in found) || !("count" in found)) return nothingRan;
    const { ran, count } = found;
    if (!Array.isArray(ran) || typeof count !== "number") return nothingRan;
    return { ran: new Map(ran.filter(isEntry)), count };
  } catch {
    return nothingRan;
  }
}

export function keepRan(contextId: string, { ran, count }: RanCells): void {
  try {
    sessionStorage.setItem(keyOf(contextId), JSON.stringify({ ran: [...ran], count }));
  } catch {
    // Full or blocked: after a reload nobody knows which cells have changed since they ran.
  }
}

function isEntry(value: unknown): value is [string, string] {
  return Array.isArray(value) && typeof value[0] === "string" && typeof value[1] === "string";
}
