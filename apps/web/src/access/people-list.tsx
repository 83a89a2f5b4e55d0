import { Box, Flex, Text } from "@chakra-ui/react";
import type { Access, AccessReason, PersonAccess, ThingRef } from "@syla/sdk";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatExact } from "../ui/format.ts";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { levelWord } from "./levels.tsx";
import { useGrants, usePeople } from "./queries.ts";

/** Who has access, how far, and by what. */
export function PeopleList({ thing, access }: { readonly thing: ThingRef; readonly access: Access }) {
  const me = useMe().data?.email?.toLowerCase();
  const people = usePeople(thing);
  const grants = useGrants(thing);
  const links = (grants.data ?? []).filter(({ anonymous, expiresAt }) => anonymous === true && !hasEnded(expiresAt));
  return (
    <>
      {people.isPending ? <SkeletonRows rows={2} /> : null}
      {people.isError ? <ErrorPanel error={people.error} onRetry={() => void people.refetch()} /> : null}
      {people.data?.map((person) => (
        <PersonRow
          key={person.key}
          name={person.key === me ? `${person.name} (you)` : person.name}
          level={describeLevel(thing, person)}
          why={person.reasons.map((reason) => describe(thing, reason, person))}
        />
      ))}
      {access.owner.id === "system" ? <PersonRow name={access.owner.name} level="everything" why={["comes with the product"]} /> : null}
      {access.visibility === "public" ? (
        <PersonRow name="Everybody who is signed in" level={levelWord(thing.resourceType, "run")} why={["it is public"]} />
      ) : null}
      {links.map(({ id, subject, expiresAt }) => (
        <PersonRow
          key={id}
          name={`Whoever has the link ${subject.name}…`}
          level="can view"
          why={[`without signing in${until(expiresAt)}`]}
        />
      ))}
      <PersonRow name="Administrators" level="everything" why={["their role"]} />
    </>
  );
}

function hasEnded(expiresAt: string | null): boolean {
  return expiresAt !== null && Date.parse(expiresAt) <= Date.now();
}

interface PersonRowProps {
  readonly name: string;
  readonly level: string;
  readonly why: readonly string[];
}

function PersonRow({ name, level, why }: PersonRowProps) {
  return (
    <Flex columnGap="3" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted" align="baseline">
      <Box minW="0" flex="1 1 200px">
        <Text truncate title={name}>
          {name}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {why.join("; ")}
        </Text>
      </Box>
      <Text fontSize="xs">{level}</Text>
    </Flex>
  );
}

function describeLevel(thing: ThingRef, person: PersonAccess): string {
  return person.reasons.some(({ type }) => type === "owner") ? "everything" : levelWord(thing.resourceType, person.level);
}

/** One reason; its level where others give another one. */
function describe(thing: ThingRef, reason: AccessReason, { reasons }: PersonAccess): string {
  const differs = reasons.some(({ level }) => level !== reason.level) && reason.type !== "owner";
  return `${describeWay(reason)}${differs ? `: ${levelWord(thing.resourceType, reason.level)}` : ""}${until(reason.expiresAt)}`;
}

function describeWay({ type, name, teamRole }: AccessReason): string {
  switch (type) {
    case "owner":
      return "owner";
    case "team":
      return teamRole === null ? `shared with team ${name}` : `${teamRole} of team ${name}, which owns it`;
    case "link":
      return `link ${name}…`;
    case "public":
      return "it is public";
    case "admin":
      return "administrator";
    case "direct":
      return "shared directly";
  }
}

function until(expiresAt: string | null): string {
  return expiresAt === null ? "" : `, until ${formatExact(expiresAt)}`;
}
