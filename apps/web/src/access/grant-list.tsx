import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Grant, ThingRef } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { GrantEnd } from "./grant-end.tsx";
import { LevelSelect } from "./levels.tsx";
import { RenewLink } from "./renew-link.tsx";
import { useGrants, useSharing } from "./queries.ts";

/** What was granted, to be changed and taken back. */
export function GrantList({ thing }: { readonly thing: ThingRef }) {
  const grants = useGrants(thing);
  const { change, revoke } = useSharing(thing);
  const error = grants.error ?? change.error ?? revoke.error;
  return (
    <>
      {grants.isPending ? <SkeletonRows rows={2} /> : null}
      {error ? (
        <Box p="4">
          <ErrorPanel error={error} onRetry={() => void grants.refetch()} />
        </Box>
      ) : null}
      {grants.data?.length === 0 ? (
        <Text px="4" py="3" color="fg.muted" borderTopWidth="1px" borderColor="border.muted">
          Shared with nobody yet.
        </Text>
      ) : null}
      {grants.data?.map((grant) => (
        <GrantRow
          key={grant.id}
          thing={thing}
          grant={grant}
          onChange={(wish) => change.mutate({ id: grant.id, ...wish })}
          isRevoking={revoke.isPending && revoke.variables === grant.id}
          onRevoke={() => revoke.mutate(grant.id)}
        />
      ))}
    </>
  );
}

interface GrantRowProps {
  readonly thing: ThingRef;
  readonly grant: Grant;
  readonly onChange: (wish: { readonly level?: Grant["level"]; readonly expiresAt?: string | null }) => void;
  readonly isRevoking: boolean;
  readonly onRevoke: () => void;
}

function GrantRow({ thing, grant, onChange, isRevoking, onRevoke }: GrantRowProps) {
  const { name, type } = grant.subject;
  const [opened, setOpened] = useState<"end" | "link" | null>(null);
  const endLabel = grant.expiresAt === null ? "Set end" : "Change end";
  const toggle = (what: "end" | "link") => setOpened(opened === what ? null : what);
  return (
    <Box borderTopWidth="1px" borderColor="border.muted">
      <Flex align="center" gap="2" px="4" py="2" wrap="wrap">
        <Box minW="0" flex="1 1 160px">
          <Text truncate fontWeight="medium" title={describeSubject(grant)}>
            {describeSubject(grant)}
          </Text>
          <Text as="div" fontSize="xs" color="fg.muted">
            <GrantTimes grant={grant} />
          </Text>
        </Box>
        <LevelSelect
          type={thing.resourceType}
          label={`Level of ${name}`}
          value={grant.level}
          size="xs"
          onChoose={(level) => onChange({ level })}
        />
        <Button
          size="xs"
          variant="outline"
          minW="24"
          aria-expanded={opened === "end"}
          aria-label={`${endLabel} of ${name}`}
          onClick={() => toggle("end")}
        >
          {endLabel}
        </Button>
        {type === "link" ? (
          <Button
            size="xs"
            variant="outline"
            aria-expanded={opened === "link"}
            aria-label={`Copy link ${name}`}
            onClick={() => toggle("link")}
          >
            Copy link
          </Button>
        ) : null}
        <Button size="xs" variant="outline" aria-label={`Revoke ${name}`} loading={isRevoking} onClick={onRevoke}>
          Revoke
        </Button>
      </Flex>
      {opened === "end" ? (
        <GrantEnd
          name={name}
          expiresAt={grant.expiresAt}
          onSave={(expiresAt) => {
            onChange({ expiresAt });
            setOpened(null);
          }}
          onClose={() => setOpened(null)}
        />
      ) : null}
      {opened === "link" ? <RenewLink thing={thing} grant={grant} onClose={() => setOpened(null)} /> : null}
    </Box>
  );
}

function describeSubject({ subject }: Grant): string {
  if (subject.type === "link") return `Link ${subject.name}…`;
  return subject.type === "team" ? `Team ${subject.name}` : subject.name;
}

function GrantTimes({ grant }: { readonly grant: Grant }) {
  const { useCount, expiresAt, anonymous } = grant;
  const ended = expiresAt !== null && Date.parse(expiresAt) <= Date.now();
  return (
    <>
      since <TimeAgo time={grant.createdAt} />
      {anonymous === null ? null : anonymous ? " · opens without signing in" : " · for people who sign in"}
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
