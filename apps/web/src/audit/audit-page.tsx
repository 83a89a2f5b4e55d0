import { Box, Button, Text } from "@chakra-ui/react";
import { Download, ScrollText, ShieldCheck } from "lucide-react";
import { useSearchParams } from "react-router";
import { syla } from "../app/api.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { type AuditPageFilter, auditQuery, readAuditFilter, writeAuditFilter } from "./audit-filter.ts";
import { AuditFilters } from "./audit-filters.tsx";
import { AuditTable } from "./audit-table.tsx";
import { EventDrawer } from "./event-drawer.tsx";
import { useAudit, useVerifyAudit } from "./queries.ts";
import { VerifyResult } from "./verify-result.tsx";

/** Who did what: filtered by what stands in the address, checked and exported. For administrators. */
export default function AuditPage() {
  const [search, setSearch] = useSearchParams();
  const filter = readAuditFilter(search);
  const pages = useAudit(filter);
  const verify = useVerifyAudit();
  const events = pages.data?.pages.flatMap((page) => page.items) ?? [];
  const open = events.find((event) => event.id === search.get("event"));
  const show = (event: string | null, change: Partial<AuditPageFilter> = {}) => {
    const next = writeAuditFilter({ ...readAuditFilter(new URLSearchParams(window.location.search)), ...change });
    if (event !== null) next.set("event", event);
    setSearch(next, { replace: true });
  };
  return (
    <ScrollPage>
      <PageHeader title="Audit" actions={<Actions filter={filter} onVerify={() => verify.mutate()} verifying={verify.isPending} />} />
      {verify.isError ? (
        <Box mb="3">
          <ErrorPanel error={verify.error} onRetry={() => verify.mutate()} />
        </Box>
      ) : null}
      {verify.data ? <VerifyResult result={verify.data} /> : null}
      <AuditFilters filter={filter} onChange={(change) => show(null, change)} />
      {pages.isError ? (
        <Box mb="3">
          <ErrorPanel error={pages.error} onRetry={() => void pages.refetch()} />
        </Box>
      ) : null}
      {pages.isPending ? <SkeletonRows rows={10} /> : null}
      {pages.isSuccess && events.length === 0 ? (
        <EmptyState icon={ScrollText} title="Nothing here">
          No event matches. Clear the filters to see all of them.
        </EmptyState>
      ) : null}
      {events.length > 0 ? (
        <>
          <AuditTable events={events} onOpen={(event) => show(event.id)} />
          <Text fontSize="xs" color="fg.subtle" mt="2" role="status">
            {formatPlural(events.length, "event")}
            {pages.hasNextPage ? " so far" : ""}
          </Text>
        </>
      ) : null}
      {pages.hasNextPage ? (
        <Button mt="2" size="xs" variant="outline" loading={pages.isFetchingNextPage} onClick={() => void pages.fetchNextPage()}>
          Show more
        </Button>
      ) : null}
      {open ? <EventDrawer event={open} onClose={() => show(null)} onFilter={(change) => show(null, change)} /> : null}
    </ScrollPage>
  );
}

interface ActionsProps {
  readonly filter: AuditPageFilter;
  readonly verifying: boolean;
  readonly onVerify: () => void;
}

function Actions({ filter, verifying, onVerify }: ActionsProps) {
  return (
    <>
      {(["csv", "json"] as const).map((format) => (
        <Button key={format} asChild size="xs" variant="outline">
          <a href={syla.audit.exportUrl({ ...auditQuery(filter, Date.now()), format })} download>
            <Download aria-hidden /> {format.toUpperCase()}
          </a>
        </Button>
      ))}
      <Button size="xs" variant="outline" loading={verifying} loadingText="Verifying" onClick={onVerify}>
        <ShieldCheck aria-hidden /> Verify
      </Button>
    </>
  );
}
