import { useLocation } from "react-router";

const storageKey = "syla.kept-hash";

/**
 * Keeps what is behind the `#` of a page while one signs in. It may be a secret, and the address of the sign-in page, or of a provider, is no
 * place for one. For this tab alone.
 */
export function keepHash(path: string, hash: string): void {
  if (hash === "") return;
  try {
    sessionStorage.setItem(storageKey, JSON.stringify({ path, hash }));
  } catch {
    // Without storage one opens the link again.
  }
}

/** Where to go, with what was kept for this page; null when nothing was. */
export function useKeptHash(): { readonly pathname: string; readonly search: string; readonly hash: string } | null {
  const { pathname, search, hash } = useLocation();
  if (hash !== "") return null;
  const kept = takeKept(pathname);
  return kept === null ? null : { pathname, search, hash: kept };
}

function takeKept(path: string): string | null {
  try {
    const kept = JSON.parse(sessionStorage.getItem(storageKey) ?? "null") as { path: string; hash: string } | null;
    if (kept?.path !== path) return null;
    return kept.hash;
  } catch {
    return null;
  }
}

/** Forgets what was kept: it is in the address again. */
export function dropKeptHash(): void {
  try {
    sessionStorage.removeItem(storageKey);
  } catch {
    // There is nothing to forget.
  }
}
