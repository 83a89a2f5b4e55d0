import { Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import type { EnvironmentStorage, EnvironmentSummary } from "@syla/sdk";
import { PackageOpen } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { EnvironmentStateBadge } from "./environment-state.tsx";
import { PackageIndexesSection } from "./package-indexes.tsx";
import { type EnvironmentListFilter, useEnvironments, useEnvironmentStorage } from "./queries.ts";

const states = [
  { value: "ready", label: "Ready" },
  { value: "building", label: "Building" },
  { value: "failed", label: "Failed" },
  { value: "none", label: "Not built" },
] as const;

/** The built dependencies of programs: one's own, or, for administrators, everybody's. */
export default function EnvironmentsPage() {
  const [search, setSearch] = useSearchParams();
  const me = useMe();
  const isAdmin = me.data?.role === "admin";
  const filter = readFilter(search);
  const [cursors, setCursors] = useState<readonly string[]>([]);
  const environments = useEnvironments(filter, cursors.at(-1) ?? null);
  const storage = useEnvironmentStorage(isAdmin);
  const change = (next: Partial<EnvironmentListFilter>) => {
    setCursors([]);
    setSearch(writeFilter({ ...filter, ...next }), { replace: true });
  };
  const items = environments.data?.items ?? [];
  const next = environments.data?.nextCursor ?? null;
  return (
    <ScrollPage>
      <PageHeader title="Environments">{storage.data ? <StorageNote storage={storage.data} /> : null}</PageHeader>
      <Flex gap="2" wrap="wrap" pb="3" align="center">
        <Input
          size="xs"
          w="200px"
          bg="bg.panel"
          type="search"
          aria-label="Search"
          placeholder="Package or id"
          defaultValue={filter.q}
          maxLength={200}
          onChange={(event) => change({ q: event.currentTarget.value })}
        />
        {states.map(({ value, label }) => (
          <FilterChip key={value} pressed={filter.state === value} onClick={() => change({ state: filter.state === value ? "" : value })}>
            {label}
          </FilterChip>
        ))}
        {isAdmin ? (
          <FilterChip pressed={filter.all} onClick={() => change({ all: !filter.all })}>
            Everybody's
          </FilterChip>
        ) : null}
      </Flex>
      {environments.isError ? <ErrorPanel error={environments.error} onRetry={() => void environments.refetch()} /> : null}
      {environments.isPending ? <SkeletonRows rows={4} /> : null}
      {environments.isSuccess && items.length === 0 ? (
        <EmptyState icon={PackageOpen} title={writeFilter(filter).size > 0 ? "None like that" : "No environments yet"}>
          An environment is made when a program that names packages is run for the first time.
        </EmptyState>
      ) : null}
      {items.length > 0 ? (
        <Box as="ul" listStyleType="none" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
          {items.map((environment) => (
            <EnvironmentRow key={environment.id} environment={environment} />
          ))}
        </Box>
      ) : null}
      <Flex gap="2" mt="3">
        {cursors.length > 0 ? (
          <Button size="xs" variant="outline" onClick={() => setCursors(cursors.slice(0, -1))}>
            Newer
          </Button>
        ) : null}
        {next === null ? null : (
          <Button size="xs" variant="outline" onClick={() => setCursors([...cursors, next])}>
            Older
          </Button>
        )}
      </Flex>
      <PackageIndexesSection />
    </ScrollPage>
  );
}

function StorageNote({ storage: { layers, usedBytes, quotaBytes, inUse } }: { readonly storage: EnvironmentStorage }) {
  return (
    <Text color="fg.muted" fontSize="xs">
      {formatBytes(usedBytes)} of {formatBytes(quotaBytes)} in {formatPlural(layers, "layer")}
      {inUse === 0 ? "" : `, ${inUse} in use`}
    </Text>
  );
}

function EnvironmentRow({ environment }: { readonly environment: EnvironmentSummary }) {
  const named = environment.dependencies.slice(0, 4).join(", ");
  const more = environment.dependencies.length > 4 ? ` and ${environment.dependencies.length - 4} more` : "";
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="3"
      py="2.5"
      position="relative"
      borderBottomWidth="1px"
      borderColor="border"
      _last={{ borderBottomWidth: "0" }}
      _hover={{ bg: "bg.muted" }}
    >
      <Box minW="0" flex="1 1 220px">
        <Text fontWeight="medium" overflowWrap="anywhere" css={{ "& a::after": { content: '""', position: "absolute", inset: 0 } }}>
          <Link to={`/environments/${environment.id}`}>{`${named}${more}` || environment.id}</Link>
        </Text>
        <Text fontSize="xs" color="fg.muted">
          {environment.language} {environment.runtimeVersion}
          {environment.packageCount === 0 ? "" : `, ${formatPlural(environment.packageCount, "package")}`}
          {environment.warmth.isKept ? `, kept ${environment.warmth.isWarm ? "warm" : "warm when there is room"}` : ""}
        </Text>
      </Box>
      <Box minW="24">
        <EnvironmentStateBadge state={environment.state} phase={environment.phase} />
      </Box>
      <Text fontSize="xs" color="fg.muted" w="16" textAlign="right" fontVariantNumeric="tabular-nums">
        {environment.size === null ? "" : formatBytes(environment.size)}
      </Text>
      <Box fontSize="xs" color="fg.muted" w="20" textAlign="right">
        <TimeAgo time={environment.usedAt} />
      </Box>
    </Flex>
  );
}

function readFilter(search: URLSearchParams): EnvironmentListFilter {
  const state = states.find(({ value }) => value === search.get("state"))?.value ?? "";
  return { state, q: search.get("q") ?? "", all: search.get("owner") === "all" };
}

function writeFilter({ state, q, all }: EnvironmentListFilter): URLSearchParams {
  const search = new URLSearchParams();
  if (state !== "") search.set("state", state);
  if (q !== "") search.set("q", q);
  if (all) search.set("owner", "all");
  return search;
}
