import { Box, Flex, Grid, Text } from "@chakra-ui/react";
import type { SandboxPool } from "@syla/sdk";
import { Boxes } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { formatCount, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SlotBar, slotColors } from "../ui/slot-bar.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";

type JailReport = SandboxPool["jails"][number];

/** More jails of a kind are only counted: the page is looked at, not read. */
const shownJails = 50;

/** The sandboxes that this server keeps ready, by what they are kept for. */
export function PoolList({ pools }: { readonly pools: readonly SandboxPool[] }) {
  return (
    <Section heading="Pools" note={<Legend />}>
      {pools.length === 0 ? (
        <EmptyState icon={Boxes} title="No pool yet">
          Sandboxes are made ready for a language when it is first used, or when the server starts.
        </EmptyState>
      ) : (
        pools.map((pool) => <PoolRows key={`${pool.tier} ${pool.kind}`} pool={pool} />)
      )}
    </Section>
  );
}

function Legend() {
  const entries = [
    ["busy", slotColors.busy],
    ["ready", slotColors.ready],
    ["being made", slotColors.made],
  ] as const;
  return (
    <Flex as="span" columnGap="3" wrap="wrap">
      {entries.map(([label, color]) => (
        <Flex as="span" key={label} align="center" gap="1">
          <Box as="span" aria-hidden w="2" h="2" rounded="sm" bg={color} />
          {label}
        </Flex>
      ))}
    </Flex>
  );
}

function PoolRows({ pool }: { readonly pool: SandboxPool }) {
  const jails = pool.jails.toSorted((a, b) => b.busy - a.busy || b.usedAt.localeCompare(a.usedAt));
  const more = jails.length - shownJails;
  return (
    <Box borderBottomWidth="1px" borderColor="border" _last={{ borderBottomWidth: "0" }} py="2.5" px="4">
      <Flex align="baseline" columnGap="3" wrap="wrap">
        <Text as="h3" fontWeight="medium" overflowWrap="anywhere">
          {pool.kind}
        </Text>
        <Text fontSize="xs" color="fg.muted">
          {formatPlural(pool.spares, "spare")}, {formatCount(pool.wantedSpares)} wanted
          {jails.length === 0 ? "; nobody uses it" : ""}
        </Text>
      </Flex>
      {jails.length === 0 ? null : (
        <Box as="ul" listStyleType="none" aria-label={`Owners of ${pool.kind}`} mt="1">
          {jails.slice(0, shownJails).map((jail, index) => (
            <JailRow key={index} jail={jail} />
          ))}
        </Box>
      )}
      {more > 0 ? (
        <Text fontSize="xs" color="fg.muted">
          and {formatCount(more)} more
        </Text>
      ) : null}
    </Box>
  );
}

function JailRow({ jail }: { readonly jail: JailReport }) {
  const { owner, busy, ready, slots, wantedSlots } = jail;
  return (
    <Grid
      as="li"
      templateColumns={{ base: "minmax(0, 1fr) auto", md: "minmax(0, 1fr) 160px 240px 96px" }}
      columnGap="4"
      rowGap="0.5"
      alignItems="center"
      py="1"
    >
      <Text overflowWrap="anywhere" gridColumn={{ base: "1 / -1", md: "auto" }}>
        {describeOwner(owner)}
      </Text>
      <Box gridColumn={{ base: "1 / -1", md: "auto" }}>
        <SlotBar busy={busy} ready={ready} slots={slots} wanted={wantedSlots} />
      </Box>
      <Text fontSize="xs" color="fg.muted">
        {formatCount(busy)} busy, {formatCount(ready)} ready of {formatPlural(slots, "slot")}; {formatCount(wantedSlots)} wanted
      </Text>
      <Box fontSize="xs" color="fg.muted" textAlign="right">
        <TimeAgo time={jail.usedAt} />
      </Box>
    </Grid>
  );
}

function describeOwner(owner: JailReport["owner"]): string {
  if (owner === null) return "The server itself";
  if (owner.name === null) return `${owner.id} (account gone)`;
  return owner.email === null ? owner.name : `${owner.name} (${owner.email})`;
}
