import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Grant, ThingRef } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { useSharing } from "./queries.ts";

interface RenewLinkProps {
  readonly thing: ThingRef;
  readonly grant: Grant;
  readonly onClose: () => void;
}

/** A link is not kept, so that nobody can read it here: it is made anew, and the one before ends. */
export function RenewLink({ thing, grant, onClose }: RenewLinkProps) {
  const { renewLink } = useSharing(thing);
  if (renewLink.data) return <ShownOnce text={renewLink.data.url}>Copy the link now. The one before leads nowhere any more.</ShownOnce>;
  return (
    <Box px="4" pb="3">
      <Flex gap="2" align="center" wrap="wrap">
        <Text fontSize="xs" color="fg.muted" flex="1 1 240px">
          A link is shown once and not kept. It can be made anew: the one before leads nowhere any more, and whoever has opened it while
          signed in keeps their access.
        </Text>
        <Button size="xs" colorPalette="accent" loading={renewLink.isPending} onClick={() => renewLink.mutate(grant.id)}>
          Make it anew
        </Button>
        <Button size="xs" variant="ghost" onClick={onClose}>
          Keep it
        </Button>
      </Flex>
      {renewLink.error ? <ErrorPanel error={renewLink.error} /> : null}
    </Box>
  );
}
