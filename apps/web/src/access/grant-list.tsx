import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Grant, ThingRef } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { LevelSelect } from "./levels.tsx";
import { useGrants, useSharing } from "./queries.ts";

/** What was granted, to be changed and taken back. */
export function GrantList({ thing }: { readonly thing: ThingRef }) {
  const grants = useGrants(thing);
  const { setLevel, revoke } = useSharing(thing);
  const error = grants.error ?? setLevel.error ?? revoke.error;
  return (
    <>
      {grants.isPending ? <SkeletonRows rows={2} /> : null}
      {error ? (
        <Box p="4">
          <ErrorPanel error={error} onRetry={() => void grants.refetch()} />
        </Box>
      ) : null}
      {grants.data?.length === 0 ? (
        <Text px="4" py="3" color="fg.muted">
          Shared with nobody yet.
        </Text>
      ) : null}
      {grants.data?.map((grant) => (
        <Flex key={grant.id} align="center" gap="2" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted">
          <Box minW="0" flex="1 1 160px">
            <Text truncate fontWeight="medium">
              {describeSubject(grant)}
            </Text>
            <Text as="div" fontSize="xs" color="fg.muted">
              <GrantTimes grant={grant} />
            </Text>
          </Box>
          <LevelSelect
            type={thing.resourceType}
            label={`Level of ${grant.subject.name}`}
            value={grant.level}
            size="xs"
            onChoose={(level) => setLevel.mutate({ id: grant.id, level })}
          />
          <Button
            size="xs"
            variant="outline"
            aria-label={`Revoke ${grant.subject.name}`}
            loading={revoke.isPending && revoke.variables === grant.id}
            onClick={() => revoke.mutate(grant.id)}
          >
            Revoke
          </Button>
        </Flex>
      ))}
    </>
  );
}

function describeSubject({ subject }: Grant): string {
  if (subject.type === "link") return `Link ${subject.name}…`;
  return subject.type === "team" ? `Team ${subject.name}` : subject.name;
}

function GrantTimes({ grant }: { readonly grant: Grant }) {
  const { useCount, expiresAt } = grant;
  const ended = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  return (
    <>
      since <TimeAgo time={grant.createdAt} />
      {useCount === null ? null : ` · redeemed by ${useCount}`}
      {expiresAt === null ? null : (
        <>
          {ended ? " · ended " : " · ends "}
          <TimeAgo time={expiresAt} />
        </>
      )}
    </>
  );
}
