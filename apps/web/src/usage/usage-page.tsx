import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import type { Usage, UsageBy } from "@syla/sdk";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { DownloadButton } from "../ui/download-button.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChoice } from "../ui/filter-bar.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { formatBytes, formatDuration, formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { BudgetsSection } from "./budgets-section.tsx";
import { useQuotas, useUsage, useUsageGroups, usageCsvUrl } from "./queries.ts";
import { QuotaEditor } from "./quota-editor.tsx";
import { QuotaList } from "./quota-list.tsx";
import { UsageCharts } from "./usage-charts.tsx";
import { UsageTable } from "./usage-table.tsx";

const spans = [7, 30, 90];
const groupings: readonly { readonly by: Exclude<UsageBy, "day">; readonly label: string }[] = [
  { by: "program", label: "Programs" },
  { by: "model", label: "Models" },
  { by: "user", label: "People" },
  { by: "team", label: "Teams" },
];

/** What was used and what it cost, and what of one's quotas and budgets that is. */
export default function UsagePage() {
  const [search, setSearch] = useSearchParams();
  const isAdmin = useMe().data?.role === "admin";
  const teams = useTeams().data ?? [];
  const team = search.get("team");
  const all = isAdmin && team === null && search.get("user") === "all";
  const days = spans.find((span) => String(span) === search.get("days")) ?? 30;
  const change = (changes: Readonly<Record<string, string | null>>) =>
    setSearch(
      (before) => {
        const after = new URLSearchParams(before);
        for (const [name, value] of Object.entries(changes))
          if (value === null) after.delete(name);
          else after.set(name, value);
        return after;
      },
      { replace: true },
    );
  const isOwner = isAdmin || teams.some(({ id, yourRole }) => id === team && yourRole === "owner");
  const whose = team === null ? { user: all ? "all" : "me" } : { team, user: isOwner ? "all" : "me" };
  return (
    <ScrollPage role="region" aria-label="Usage" tabIndex={0} outlineOffset="-2px">
      <PageHeader title="Usage">
        <Flex role="group" aria-label="Days" gap="1.5" wrap="wrap">
          {spans.map((span) => (
            <FilterChip key={span} pressed={span === days} onClick={() => change({ days: span === 30 ? null : String(span) })}>
              {span} days
            </FilterChip>
          ))}
        </Flex>
        {isAdmin ? (
          <FilterChip pressed={all} onClick={() => change({ user: all ? null : "all", team: null })}>
            Everybody
          </FilterChip>
        ) : null}
        {teams.length === 0 ? null : (
          <FilterChoice
            label="Team"
            value={team ?? ""}
            none="No team"
            onChoose={(id) => change({ team: id === "" ? null : id, user: null })}
          >
            {teams.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </FilterChoice>
        )}
      </PageHeader>
      {all || team !== null ? null : <OwnQuotas />}
      <BudgetsSection owner={team ?? (all ? "all" : "me")} mayAdd={team === null || isOwner} />
      <Used whose={whose} days={days} change={change} search={search} hasOthers={all || (team !== null && isOwner)} />
      {all ? <People days={days} /> : null}
    </ScrollPage>
  );
}

function OwnQuotas() {
  const quotas = useQuotas();
  return (
    <Section heading="Quotas" note="days and months are those of UTC">
      {quotas.isPending ? <SkeletonRows rows={5} /> : null}
      {quotas.isError ? <ErrorPanel error={quotas.error} onRetry={() => void quotas.refetch()} /> : null}
      {quotas.data ? <QuotaList quotas={quotas.data.items} /> : null}
    </Section>
  );
}

interface UsedProps {
  readonly whose: { readonly user: string; readonly team?: string };
  readonly days: number;
  readonly search: URLSearchParams;
  readonly change: (changes: Readonly<Record<string, string | null>>) => void;
  /** Others than the reader may be in it. */
  readonly hasOthers: boolean;
}

/** Charts of the days, or the same as a table; then by what it was used for. */
function Used({ whose, days, search, change, hasOthers }: UsedProps) {
  const asTable = search.get("view") === "table";
  const shown = groupings.filter(({ by }) => by !== "user" || hasOthers);
  const { by, label } = shown.find((grouping) => grouping.by === search.get("by")) ?? { by: "program" as const, label: "Programs" };
  const counts = useUsageGroups({ ...whose, by: "day", limit: 1000 }, days);
  const groups = useUsageGroups({ ...whose, by }, days);
  const isOfTeam = whose.team !== undefined;
  const usage = useUsage(whose.user === "all" ? "all" : "me", days, !isOfTeam);
  const failed = counts.error ?? groups.error ?? usage.error;
  return (
    <>
      <Section heading="By day" note={counts.data === undefined ? "" : `${formatPlural(counts.data.total.runs, "run")}; days of UTC`}>
        <Flex gap="1.5" px="4" pt="3" role="group" aria-label="Shown as">
          <FilterChip pressed={!asTable} onClick={() => change({ view: null })}>
            Charts
          </FilterChip>
          <FilterChip pressed={asTable} onClick={() => change({ view: "table" })}>
            Table
          </FilterChip>
        </Flex>
        {counts.isPending ? <SkeletonRows rows={6} /> : null}
        {failed ? (
          <ErrorPanel error={failed} onRetry={() => void Promise.all([counts.refetch(), groups.refetch(), usage.refetch()])} />
        ) : null}
        {counts.data && asTable ? (
          <Box pt="3">
            <UsageTable usage={counts.data} />
          </Box>
        ) : null}
        {counts.data && !asTable ? <UsageCharts counts={counts.data} usage={isOfTeam ? null : (usage.data ?? null)} /> : null}
      </Section>
      <Section heading={`By ${label.toLowerCase()}`} note="what cost most first">
        <Flex gap="1.5" px="4" py="3" wrap="wrap" role="group" aria-label="By" align="center">
          {shown.map((grouping) => (
            <FilterChip
              key={grouping.by}
              pressed={grouping.by === by}
              onClick={() => change({ by: grouping.by === "program" ? null : grouping.by })}
            >
              {grouping.label}
            </FilterChip>
          ))}
          <Box ml="auto">
            <DownloadButton label="Download as CSV" file={{ href: usageCsvUrl({ ...whose, by }, days), name: `usage-by-${by}.csv` }} />
          </Box>
        </Flex>
        {groups.isPending ? <SkeletonRows rows={3} /> : null}
        {groups.data ? <UsageTable usage={groups.data} /> : null}
      </Section>
    </>
  );
}

/** Everybody with what they store, and their quotas. */
function People({ days }: { readonly days: number }) {
  const people = useUsage("all", days).data?.people ?? [];
  const [edited, setEdited] = useState<Usage["people"][number] | null>(null);
  return (
    <Section heading="People" note="who used most CPU time">
      <Box as="ul" listStyleType="none">
        {people.map((person) => (
          <Grid
            as="li"
            key={person.userId}
            templateColumns={{ base: "minmax(0, 1fr) auto", md: "minmax(0, 1fr) 128px 112px 112px 88px" }}
            alignItems="center"
            columnGap="4"
            px="4"
            py="2.5"
            borderBottomWidth="1px"
            borderColor="border.muted"
            _last={{ borderBottomWidth: "0" }}
          >
            <Text fontWeight="medium" truncate title={person.userId}>
              {person.name}
            </Text>
            <Text textAlign="right">{formatDuration(person.cpuMs)} CPU</Text>
            <Text textAlign={{ base: "left", md: "right" }} color="fg.muted">
              {formatPlural(person.runs, "run")}
            </Text>
            <Text textAlign="right" color="fg.muted">
              {formatBytes(person.storedBytes)}
            </Text>
            <Button size="2xs" variant="outline" justifySelf="end" gridColumn={{ base: "2", md: "auto" }} onClick={() => setEdited(person)}>
              Quotas
            </Button>
          </Grid>
        ))}
      </Box>
      {edited === null ? null : <QuotaEditor userId={edited.userId} name={edited.name} onClose={() => setEdited(null)} />}
    </Section>
  );
}
