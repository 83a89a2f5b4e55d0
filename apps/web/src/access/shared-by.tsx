import { Text } from "@chakra-ui/react";
import type { ThingRef } from "@syla/sdk";
import { levelWords } from "./levels.tsx";
import { useAccess } from "./queries.ts";

/** Whose a thing is and what one may do with it, where it is somebody else's. */
export function SharedBy({ thing }: { readonly thing: ThingRef }) {
  const { data: access } = useAccess(thing);
  if (access === undefined || access.isOwner) return null;
  return (
    <Text as="span">
      {access.owner.name}’s; you {levelWords[thing.resourceType][access.level] ?? "can view"} it
    </Text>
  );
}
