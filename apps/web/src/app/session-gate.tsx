import { Box } from "@chakra-ui/react";
import { useEffect } from "react";
import { Navigate, Outlet, useLocation } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { dropKeptHash, keepHash, useKeptHash } from "./kept-hash.ts";

/** Lets only signed-in people through; others sign in first and come back to where they wanted to go. */
export function SessionGate() {
  const me = useMe();
  if (me.data) return <SignedIn />;
  if (me.data === null) return <ToSignIn />;
  if (me.isError) {
    return (
      <Box maxW="lg" mx="auto" mt="20vh" px="4">
        <ErrorPanel error={me.error} onRetry={() => void me.refetch()} />
      </Box>
    );
  }
  return null;
}

/** Whatever was behind the `#` before one signed in is there again. */
function SignedIn() {
  const kept = useKeptHash();
  const { hash } = useLocation();
  useEffect(() => {
    if (hash !== "") dropKeptHash();
  }, [hash]);
  return kept === null ? <Outlet /> : <Navigate to={kept} replace />;
}

/** To the sign-in page, and back here afterwards. */
export function ToSignIn() {
  const { pathname, search, hash } = useLocation();
  keepHash(pathname, hash);
  const next = pathname + search;
  return <Navigate to={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
}
