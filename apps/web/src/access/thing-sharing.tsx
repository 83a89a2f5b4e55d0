import { Box } from "@chakra-ui/react";
import type { ThingRef } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useAccess } from "./queries.ts";
import { SharePanel } from "./share-dialog.tsx";

/** Who has a thing, and how far: a tab of its page. */
export function ThingSharing({ thing }: { readonly thing: ThingRef }) {
  const access = useAccess(thing);
  return (
    <Box maxW="760px" px={{ base: "4", md: "6" }} py="4">
      <Box borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
        {access.data ? <SharePanel thing={thing} access={access.data} /> : null}
        {access.isPending ? <SkeletonRows rows={3} /> : null}
        {access.error ? <ErrorPanel error={access.error} onRetry={() => void access.refetch()} /> : null}
      </Box>
    </Box>
  );
}
