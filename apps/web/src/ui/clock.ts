import { useSyncExternalStore } from "react";

/** One timer for every relative time on the page, however many there are. */
function makeClock(intervalMs: number) {
  const listeners = new Set<() => void>();
  let now = Date.now();
  let timer: ReturnType<typeof setInterval> | undefined;
  const tick = () => {
    now = Date.now();
    for (const listener of listeners) listener();
  };
  return {
    read: () => now,
    subscribe(listener: () => void) {
      listeners.add(listener);
      // Nobody looked for a while: what is stored may be hours old.
      if (!timer) now = Date.now();
      timer ??= setInterval(tick, intervalMs);
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) {
          clearInterval(timer);
          timer = undefined;
        }
      };
    },
  };
}

const slow = makeClock(5000);
const fast = makeClock(100);
const idle = () => () => {};

/** The current time, updated every five seconds. */
export function useNow(): number {
  return useSyncExternalStore(slow.subscribe, slow.read);
}

/** The current time, updated ten times a second while `active`: for a bar that grows. */
export function useFastNow(active: boolean): number {
  const stored = useSyncExternalStore(active ? fast.subscribe : idle, fast.read);
  return active ? Math.max(stored, Date.now() - 100) : stored;
}
