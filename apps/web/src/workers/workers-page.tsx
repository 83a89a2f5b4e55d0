import { Box, Text } from "@chakra-ui/react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { ClaimsSection } from "./claims-section.tsx";
import { DeadLettersSection } from "./dead-letters-section.tsx";
import { PoolList } from "./pool-list.tsx";
import { useWork } from "./queries.ts";
import { QueueSection } from "./queue-section.tsx";
import { WaitingSection } from "./waiting-section.tsx";
import { WorkerList } from "./worker-list.tsx";

/** The workers, the queue and the sandboxes that are kept ready, as they are now. For administrators. */
export default function WorkersPage() {
  const work = useWork();
  return (
    // Nothing on it takes the focus but itself: it is scrolled with the arrow keys.
    <ScrollPage role="region" aria-label="Workers" tabIndex={0} outlineOffset="-2px">
      <PageHeader title="Workers">{work.data ? <Text color="fg.muted">{work.isError ? "as last seen" : "live"}</Text> : null}</PageHeader>
      {work.isError ? (
        <Box mb="6">
          <ErrorPanel error={work.error} onRetry={() => void work.refetch()} />
        </Box>
      ) : null}
      {work.isPending ? <SkeletonRows rows={6} /> : null}
      {work.data ? (
        <>
          <QueueSection view={work.data} />
          <WaitingSection queue={work.data.queue} />
          <ClaimsSection queue={work.data.queue} />
          <WorkerList workers={work.data.workers.items} />
          <DeadLettersSection count={work.data.queue.deadLetters} />
          <PoolList pools={work.data.pools} />
        </>
      ) : null}
    </ScrollPage>
  );
}
