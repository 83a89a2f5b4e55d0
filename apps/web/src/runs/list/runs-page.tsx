import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { ListOrdered, Play, SearchX } from "lucide-react";
import { useState } from "react";
import { Link, useSearchParams } from "react-router";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatPlural } from "../../ui/format.ts";
import { PageHeader } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useStoredFlag } from "../../ui/use-stored-flag.ts";
import { BulkRuns } from "./bulk-runs.tsx";
import { isFiltered, readRunFilter, type RunListFilter, writeRunFilter } from "./run-filter.ts";
import { RequeueRuns } from "./requeue-runs.tsx";
import { RunFilters } from "./run-filters.tsx";
import { RunCharts } from "./run-charts.tsx";
import { RunTable } from "./run-table.tsx";
import { RunTotalsStrip } from "./run-totals-strip.tsx";
import { useRunList } from "./use-run-list.ts";
import { useRunTotals } from "./use-run-totals.ts";

const none: ReadonlySet<string> = new Set();

/** All runs, filtered by what stands in the address. */
export default function RunsPage() {
  const [search, setSearch] = useSearchParams();
  const filter = readRunFilter(search);
  const { pages, runs } = useRunList(filter);
  const totals = useRunTotals(filter);
  const [selected, setSelected] = useState(none);
  const [withCharts, setCharts] = useStoredFlag("syla.runs.charts", false);
  const changeFilter = (change: (filter: RunListFilter) => RunListFilter) => {
    setSelected(none);
    // The address itself, not what was last drawn: two quick changes must not undo each other.
    setSearch(writeRunFilter(change(readRunFilter(new URLSearchParams(window.location.search)))), { replace: true });
  };
  return (
    <Flex direction="column" h="100%" px={{ base: "4", md: "6" }} py="5" overflowY="auto" data-scrolls>
      <PageHeader
        title="Runs"
        actions={
          filter.deadLetters && runs.length > 0 ? (
            <RequeueRuns ids={runs.filter((run) => selected.has(run.id)).map((run) => run.id)} onDone={() => setSelected(none)} />
          ) : null
        }
      />
      <RunTotalsStrip filter={filter} totals={totals} withCharts={withCharts} onCharts={setCharts} />
      {withCharts && totals.data ? (
        <RunCharts totals={totals.data} onProgram={(program) => changeFilter((before) => ({ ...before, program }))} />
      ) : null}
      <RunFilters filter={filter} counts={totals.data?.statuses ?? null} onChange={changeFilter} />
      <BulkRuns runs={runs} selected={selected} filter={filter} hasMore={pages.hasNextPage} onSelect={setSelected} />
      {pages.isError ? (
        <Box mb="3">
          <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} />
        </Box>
      ) : null}
      {pages.isPending ? <SkeletonRows rows={10} /> : null}
      {pages.isSuccess && runs.length === 0 ? (
        <NoRuns filtered={isFiltered(filter)} onClear={() => setSearch({}, { replace: true })} />
      ) : null}
      {runs.length > 0 ? (
        <RunTable
          runs={runs}
          selected={selected}
          onSelect={setSelected}
          onEnd={() => pages.hasNextPage && !pages.isFetchingNextPage && void pages.fetchNextPage()}
        />
      ) : null}
      {runs.length > 0 ? (
        <Text fontSize="xs" color="fg.subtle" mt="2" role="status">
          {pages.isFetchingNextPage
            ? "Loading more…"
            : `${formatPlural(runs.length, "run")}${pages.hasNextPage ? " so far; scroll for more" : ""}`}
        </Text>
      ) : null}
    </Flex>
  );
}

function NoRuns({ filtered, onClear }: { readonly filtered: boolean; readonly onClear: () => void }) {
  if (filtered) {
    return (
      <EmptyState
        icon={SearchX}
        title="No run matches these filters"
        action={
          <Button size="xs" variant="outline" onClick={onClear}>
            Clear the filters
          </Button>
        }
      >
        Take a filter away, or look further back in time.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon={ListOrdered}
      title="Nothing has run yet"
      action={
        <Button asChild size="xs" colorPalette="accent">
          <Link to="/runs/new">
            <Play aria-hidden /> New run
          </Link>
        </Button>
      }
    >
      Write a few lines in the browser, or use <code>./syla exec FILE</code> in a terminal.
    </EmptyState>
  );
}
