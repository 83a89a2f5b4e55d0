import { lazy } from "react";
import { useLocation } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { SessionGate } from "../app/session-gate.tsx";

const PublicSharePage = lazy(() => import("./public-share-page.tsx"));

/** A share link: who is signed in takes what it gives; who is not sees what it leads to, where that is allowed. */
export function ShareGate() {
  const me = useMe();
  const token = useLocation().hash.slice(1);
  return me.data === null && token !== "" ? <PublicSharePage key={token} token={token} /> : <SessionGate />;
}
