import { useState } from "react";

function read(key: string, fallback: boolean): boolean {
  try {
    return (localStorage.getItem(key) ?? String(fallback)) === "true";
  } catch {
    return fallback;
  }
}

/** A switch that the browser remembers. */
export function useStoredFlag(key: string, fallback: boolean): readonly [boolean, (value: boolean) => void] {
  const [value, setValue] = useState(() => read(key, fallback));
  const store = (next: boolean) => {
    setValue(next);
    try {
      localStorage.setItem(key, String(next));
    } catch {
      // Storage may be blocked; the switch then lasts as long as the page.
    }
  };
  return [value, store];
}
