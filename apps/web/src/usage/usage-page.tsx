import { Box, Button, Flex, Grid, Text } from "@chakra-ui/react";
import type { Usage } from "@syla/sdk";
import { useState } from "react";
import { useSearchParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { formatBytes, formatCount, formatDuration, formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { DayChart } from "./day-chart.tsx";
import { useQuotas, useUsage } from "./queries.ts";
import { QuotaEditor } from "./quota-editor.tsx";
import { QuotaList } from "./quota-list.tsx";

const spans = [7, 30, 90];

/** What was used, and what of one's quotas that is. */
export default function UsagePage() {
  const [search, setSearch] = useSearchParams();
  const isAdmin = useMe().data?.role === "admin";
  const all = isAdmin && search.get("user") === "all";
  const days = spans.find((span) => String(span) === search.get("days")) ?? 30;
  const usage = useUsage(all ? "all" : "me", days);
  const quotas = useQuotas();
  const show = (user: boolean, span: number) =>
    setSearch({ ...(user ? { user: "all" } : {}), ...(span === 30 ? {} : { days: String(span) }) }, { replace: true });
  return (
    <ScrollPage role="region" aria-label="Usage" tabIndex={0} outlineOffset="-2px">
      <PageHeader title="Usage">
        <Flex role="group" aria-label="Days" gap="1.5" wrap="wrap">
          {spans.map((span) => (
            <FilterChip key={span} pressed={span === days} onClick={() => show(all, span)}>
              {span} days
            </FilterChip>
          ))}
        </Flex>
        {isAdmin ? (
          <FilterChip pressed={all} onClick={() => show(!all, days)}>
            Everybody
          </FilterChip>
        ) : null}
      </PageHeader>
      {all ? null : (
        <Section heading="Quotas" note="days and months are those of UTC">
          {quotas.isPending ? <SkeletonRows rows={5} /> : null}
          {quotas.isError ? <ErrorPanel error={quotas.error} onRetry={() => void quotas.refetch()} /> : null}
          {quotas.data ? <QuotaList quotas={quotas.data.items} /> : null}
        </Section>
      )}
      {usage.isPending ? <SkeletonRows rows={6} /> : null}
      {usage.isError ? <ErrorPanel error={usage.error} onRetry={() => void usage.refetch()} /> : null}
      {usage.data ? <Charts usage={usage.data} /> : null}
      {usage.data && all ? <People people={usage.data.people} /> : null}
    </ScrollPage>
  );
}

function Charts({ usage }: { readonly usage: Usage }) {
  const span = { from: usage.from, to: usage.to, days: usage.days };
  return (
    <Section heading="By day" note={`${formatPlural(usage.total.runs, "run")}, ${formatCount(usage.total.failed)} failed`}>
      <Grid templateColumns={{ base: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" }} gap="6" p="4">
        <DayChart {...span} title="Runs" value={(day) => day.runs} format={formatCount} />
        <DayChart {...span} title="Failed runs" value={(day) => day.failed} format={formatCount} color="fg.error" />
        <DayChart {...span} title="CPU time" value={(day) => day.cpuMs} format={formatDuration} />
        <DayChart {...span} title="Stored" value={(day) => day.storedBytes} format={formatBytes} />
        <DayChart {...span} title="Network" value={(day) => day.networkBytes} format={formatBytes} />
      </Grid>
    </Section>
  );
}

function People({ people }: { readonly people: Usage["people"] }) {
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
