import { Box, Flex, Text } from "@chakra-ui/react";
import type { Access, PersonAccess, ThingRef } from "@syla/sdk";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { levelWords } from "./levels.tsx";
import { useGrants, usePeople } from "./queries.ts";

/** Who has access, and why. */
export function PeopleList({ thing, access }: { readonly thing: ThingRef; readonly access: Access }) {
  const people = usePeople(thing);
  const grants = useGrants(thing);
  const links = (grants.data ?? []).filter(({ subject, expiresAt }) => subject.type === "link" && !hasEnded(expiresAt));
  return (
    <>
      {people.isPending ? <SkeletonRows rows={2} /> : null}
      {people.isError ? <ErrorPanel error={people.error} onRetry={() => void people.refetch()} /> : null}
      {people.data?.map((person) => (
        <PersonRow key={person.key} name={person.name} level={describeLevel(thing, person)} why={person.reasons.map(describe).join(", ")} />
      ))}
      {access.visibility === "public" ? <PersonRow name="Everybody who is signed in" level="can run again" why="it is public" /> : null}
      {access.anonymousLinks
        ? links.map(({ id, subject }) => (
            <PersonRow key={id} name={`Whoever has the link ${subject.name}…`} level="can view" why="without signing in" />
          ))
        : null}
      <PersonRow name="Administrators" level="everything" why="their role" />
    </>
  );
}

function hasEnded(expiresAt: string | null): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now();
}

function PersonRow({ name, level, why }: { readonly name: string; readonly level: string; readonly why: string }) {
  return (
    <Flex columnGap="3" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted" align="baseline">
      <Box minW="0" flex="1 1 160px">
        <Text truncate>{name}</Text>
      </Box>
      <Text fontSize="xs" color="fg.muted">
        {level} · {why}
      </Text>
    </Flex>
  );
}

function describeLevel(thing: ThingRef, person: PersonAccess): string {
  if (person.reasons.some(({ type }) => type === "owner")) return "everything";
  return levelWords[thing.resourceType][person.level] ?? "can view";
}

function describe({ type, name }: PersonAccess["reasons"][number]): string {
  if (type === "owner") return "owner";
  if (type === "team") return `team ${name}`;
  return type === "link" ? `link ${name}…` : "shared directly";
}
