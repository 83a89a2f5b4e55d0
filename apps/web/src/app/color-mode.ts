import { useSyncExternalStore } from "react";

export type ColorPreference = "light" | "dark" | "system";

const storageKey = "syla.theme";
const systemDark = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();
let preference = readPreference();

function readPreference(): ColorPreference {
  try {
    const stored = localStorage.getItem(storageKey);
    return stored === "light" || stored === "dark" ? stored : "system";
  } catch {
    return "system";
  }
}

/** `public/theme.js` does the same before the first paint. */
function apply(): void {
  const mode = preference === "system" ? (systemDark.matches ? "dark" : "light") : preference;
  const root = document.documentElement;
  root.classList.remove("light", "dark");
  root.classList.add(mode);
  root.style.colorScheme = mode;
  for (const listener of listeners) listener();
}

/** From now on the page changes with the system, where nobody has chosen otherwise. */
export function followSystemColors(): void {
  systemDark.addEventListener("change", apply);
}

/** Chooses light, dark, or whatever the system says. */
export function setColorPreference(next: ColorPreference): void {
  preference = next;
  try {
    localStorage.setItem(storageKey, next);
  } catch {
    // Storage may be blocked; the choice then lasts as long as the page.
  }
  apply();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** What the person has chosen. */
export function useColorPreference(): ColorPreference {
  return useSyncExternalStore(subscribe, () => preference);
}
