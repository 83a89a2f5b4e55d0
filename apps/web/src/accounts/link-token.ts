import { useLocation } from "react-router";

/** The token of a one-time link. It is behind `#`, which no server sees. */
export function useLinkToken(): string | null {
  return new URLSearchParams(useLocation().hash.slice(1)).get("token");
}
