import { Flex, Grid } from "@chakra-ui/react";
import type { QueueFigures } from "@syla/sdk";
import { Figure } from "../ui/figure.tsx";
import { formatCount, formatDuration, formatPlural } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { TrendChart } from "../ui/trend-chart.tsx";
import { historyMs, type WorkView } from "./queries.ts";

/** The queue in figures, and how it and the slots of this server changed lately. */
export function QueueSection({ view }: { readonly view: WorkView }) {
  const { queue, items } = view.workers;
  const slots = items.find((worker) => worker.current)?.slots ?? null;
  const of = (pick: (point: WorkView["history"][number]) => number) => view.history.map((point) => ({ at: point.at, value: pick(point) }));
  return (
    <Section heading="Queue" note={`times of the newest ${formatPlural(queue.sampled, "run")} of the last hour`}>
      <Flex as="dl" wrap="wrap" columnGap="8" rowGap="3" px="4" py="3">
        <Figure label="Waiting" value={formatCount(queue.queued)} />
        <Figure label="Running" value={formatCount(queue.running)} />
        <Figure label="Runs a minute" value={formatCount(queue.runsPerMinute)} />
        <Figure label="Queue wait" value={median(queue.queueWaitMs)} aside={slowest(queue.queueWaitMs)} />
        <Figure label="Start" value={median(queue.startMs)} aside={slowest(queue.startMs)} />
      </Flex>
      <Grid
        templateColumns={{ base: "minmax(0, 1fr)", md: "repeat(2, minmax(0, 1fr))" }}
        gap="6"
        px="4"
        py="3"
        borderTopWidth="1px"
        borderColor="border.muted"
      >
        <TrendChart title="Waiting runs" points={of((point) => point.waiting)} spanMs={historyMs} color="fg.warning" />
        <TrendChart
          title="Busy slots"
          points={of((point) => point.busy)}
          spanMs={historyMs}
          limit={slots === null ? null : { label: "limit", value: slots }}
        />
      </Grid>
    </Section>
  );
}

function median(times: QueueFigures["startMs"]): string {
  return formatDuration(times?.p50 ?? null);
}

function slowest(times: QueueFigures["startMs"]): string | null {
  return times === null ? null : `95 %: ${formatDuration(times.p95)}`;
}
