/** More was asked for than the budget has. */
export class BudgetError extends RangeError {
  override readonly name = "BudgetError";
}

/** What buffers of a thread may take, bytes: its `resourceLimits` count none of them. */
export interface ByteBudget {
  /** @throws BudgetError */
  spend(bytes: number): void;
  /** Begins anew: what was spent may have been given back. */
  renew(): void;
}

/** Longer arrays are never made at once by those who read honest files. */
const longestArray = 16 * 1024 * 1024;

const bufferNames = [
  "ArrayBuffer",
  "Uint8Array",
  "Uint32Array",
  "Int32Array",
  "BigInt64Array",
  "BigUint64Array",
  "Float32Array",
  "Float64Array",
] as const;

/**
 * Makes every buffer that this thread's JavaScript makes from now on count: a library that believes the numbers in a file asks for as much as
 * they say. Node's own code keeps the constructors that it has.
 */
export function limitBuffers(most: number): ByteBudget {
  let left = most;
  const spend = (bytes: number) => {
    left -= bytes;
    if (!(left >= 0)) throw new BudgetError("too much memory is asked for");
  };
  for (const name of bufferNames) {
    const original = globalThis[name];
    const unit = "BYTES_PER_ELEMENT" in original ? original.BYTES_PER_ELEMENT : 1;
    replace(name, original, ([first]) => spend(sizeOf(first) * unit));
  }
  replace("Array", Array, (values) => {
    if (values.length === 1 && typeof values[0] === "number" && values[0] > longestArray) throw new BudgetError("too long an array");
  });
  return { spend, renew: () => (left = most) };
}

/** Elements of what a constructor makes; a view of a buffer that is there makes none. */
function sizeOf(first: unknown): number {
  if (typeof first === "number") return first;
  if (ArrayBuffer.isView(first) || Array.isArray(first)) return (first as ArrayLike<unknown>).length;
  return 0;
}

function replace(name: keyof typeof globalThis, original: object, look: (args: readonly unknown[]) => void): void {
  const proxy: object = new Proxy(original, {
    construct: (target, args: unknown[], made) => {
      look(args);
      return Reflect.construct(target as new () => object, args, made === proxy ? (target as new () => object) : made) as object;
    },
    apply: (target, self, args: unknown[]) => {
      look(args);
      return Reflect.apply(target as () => unknown, self, args);
    },
  });
  Object.defineProperty(globalThis, name, { value: proxy, writable: true, configurable: true });
}
