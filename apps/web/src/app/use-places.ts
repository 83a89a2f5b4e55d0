import { useMe } from "../accounts/queries.ts";
import { type Place, places } from "./navigation.ts";

/** The places that this person can go to. The server refuses the others by itself; here they are only left out. */
export function usePlaces(): readonly Place[] {
  const isAdmin = useMe().data?.role === "admin";
  return places.filter((place) => isAdmin || place.adminOnly !== true);
}
