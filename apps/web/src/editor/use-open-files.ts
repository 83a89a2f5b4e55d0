import { useEffect, useState } from "react";

/** So many are open at most; the oldest closes for another one. */
const most = 20;

/** Which files are open, of those that there are. The current one is told by the address. */
export function useOpenFiles(key: string, current: string | null, exists: (path: string) => boolean) {
  const [kept, setKept] = useState<readonly string[]>(() => read(key));
  const known = kept.filter(exists);
  const open = current === null || known.includes(current) ? known : [...known, current].slice(-most);
  // What is looked at has a tab; the address may have named it.
  useEffect(() => {
    if (current !== null) setKept((before) => (before.includes(current) ? before : store(key, [...before, current].slice(-most))));
  }, [key, current]);
  /** Closes one. @returns the one beside it, which is looked at next */
  const close = (path: string): string | null => {
    const at = open.indexOf(path);
    const left = open.filter((other) => other !== path);
    setKept(store(key, left));
    return left[Math.min(at, left.length - 1)] ?? null;
  };
  return { open, close };
}

function read(key: string): readonly string[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(key) ?? "[]");
    return Array.isArray(found) ? found.filter((path): path is string => typeof path === "string") : [];
  } catch {
    return [];
  }
}

function store(key: string, paths: readonly string[]): readonly string[] {
  try {
    sessionStorage.setItem(key, JSON.stringify(paths));
  } catch {
    // Blocked: they are open as long as the page is.
  }
  return paths;
}
