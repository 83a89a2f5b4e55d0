import { Box } from "@chakra-ui/react";
import { Navigate, Outlet, useLocation } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";

/** Lets only signed-in people through; others sign in first and come back to where they wanted to go. */
export function SessionGate() {
  const me = useMe();
  const location = useLocation();
  if (me.data) return <Outlet />;
  if (me.data === null) {
    const next = location.pathname + location.search + location.hash;
    return <Navigate to={next === "/" ? "/sign-in" : `/sign-in?next=${encodeURIComponent(next)}`} replace />;
  }
  if (me.isError) {
    return (
      <Box maxW="lg" mx="auto" mt="20vh" px="4">
        <ErrorPanel error={me.error} onRetry={() => void me.refetch()} />
      </Box>
    );
  }
  return null;
}
