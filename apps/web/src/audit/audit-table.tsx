import { Box, Button, chakra, Grid, Text } from "@chakra-ui/react";
import type { AuditEvent } from "@syla/sdk";
import { TimeAgo } from "../ui/time-ago.tsx";
import { OutcomeMark } from "./outcome-mark.tsx";

const columns = {
  base: "88px minmax(0, 1fr) auto",
  md: "96px minmax(0, 1fr) minmax(0, 1fr) minmax(0, 1.4fr) 128px 96px",
};

interface AuditTableProps {
  readonly events: readonly AuditEvent[];
  readonly onOpen: (event: AuditEvent) => void;
}

/** The events; a row opens its details. */
export function AuditTable({ events, onOpen }: AuditTableProps) {
  return (
    <Box role="table" aria-label="Audit trail" borderWidth="1px" borderColor="border" rounded="md" overflow="hidden" bg="bg.panel">
      <Box role="rowgroup">
        <Grid
          role="row"
          templateColumns={columns}
          columnGap="3"
          px="3"
          h="8"
          alignItems="center"
          fontSize="xs"
          color="fg.muted"
          bg="bg.subtle"
        >
          <chakra.span role="columnheader">Outcome</chakra.span>
          <chakra.span role="columnheader">Action</chakra.span>
          <chakra.span role="columnheader" hideBelow="md">
            Who
          </chakra.span>
          <chakra.span role="columnheader" hideBelow="md">
            About
          </chakra.span>
          <chakra.span role="columnheader" hideBelow="md">
            Address
          </chakra.span>
          <chakra.span role="columnheader" textAlign="right">
            Time
          </chakra.span>
        </Grid>
      </Box>
      <Box role="rowgroup">
        {events.map((event) => (
          <AuditRow key={event.id} event={event} onOpen={onOpen} />
        ))}
      </Box>
    </Box>
  );
}

function AuditRow({ event, onOpen }: { readonly event: AuditEvent; readonly onOpen: (event: AuditEvent) => void }) {
  return (
    <Grid
      role="row"
      templateColumns={columns}
      alignItems="center"
      columnGap="3"
      px="3"
      py="2"
      position="relative"
      borderTopWidth="1px"
      borderColor="border.muted"
      _hover={{ bg: "bg.muted" }}
    >
      <chakra.span role="cell">
        <OutcomeMark outcome={event.outcome} />
      </chakra.span>
      <chakra.span role="cell" minW="0">
        <Button
          variant="plain"
          h="auto"
          p="0"
          maxW="full"
          fontWeight="medium"
          onClick={() => onOpen(event)}
          css={{ "&::after": { content: '""', position: "absolute", inset: 0 } }}
        >
          <Text as="span" truncate>
            {event.action}
          </Text>
        </Button>
        <Text as="span" display={{ base: "block", md: "none" }} fontSize="xs" color="fg.muted" truncate>
          {whoOf(event)}
        </Text>
      </chakra.span>
      <chakra.span role="cell" hideBelow="md" minW="0">
        <Text as="span" display="block" truncate title={event.actorId ?? undefined}>
          {whoOf(event)}
        </Text>
      </chakra.span>
      <chakra.span role="cell" hideBelow="md" minW="0">
        <Text as="span" display="block" truncate fontFamily="mono" fontSize="xs" color="fg.muted" title={event.resourceId ?? undefined}>
          {event.resourceId ?? event.resourceType ?? "–"}
        </Text>
      </chakra.span>
      <chakra.span role="cell" hideBelow="md" minW="0">
        <Text as="span" display="block" truncate fontFamily="mono" fontSize="xs" color="fg.muted">
          {event.ip ?? "–"}
        </Text>
      </chakra.span>
      <chakra.span role="cell" textAlign="right" color="fg.muted" fontSize="xs">
        <TimeAgo time={event.at} />
      </chakra.span>
    </Grid>
  );
}

/** Who it was, and who acted as them. */
export function whoOf(event: AuditEvent): string {
  const name = event.actorName || event.actorId || (event.via === "link" ? "somebody with a link" : "nobody signed in");
  return event.impersonatorId === null ? name : `${name}, by an administrator`;
}
