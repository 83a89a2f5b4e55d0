import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Worker } from "@syla/sdk";
import { CircleCheck, CirclePause, CircleSlash, CircleX, Hourglass, type LucideIcon, Pause, Play, Server } from "lucide-react";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatCount } from "../ui/format.ts";
import { Section } from "../ui/page.tsx";
import { SlotBar } from "../ui/slot-bar.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useDrainWorker } from "./queries.ts";

interface StateLook {
  readonly label: string;
  readonly color: string;
  readonly icon: LucideIcon;
}

const looks: Readonly<Record<Worker["state"] | "draining" | "drained", StateLook>> = {
  live: { label: "Live", color: "fg.success", icon: CircleCheck },
  draining: { label: "Draining", color: "fg.warning", icon: Hourglass },
  drained: { label: "Drained", color: "fg.muted", icon: CirclePause },
  lost: { label: "Lost", color: "fg.error", icon: CircleX },
  stopped: { label: "Stopped", color: "fg.muted", icon: CircleSlash },
};

/** The processes that take runs from the queue. */
export function WorkerList({ workers }: { readonly workers: readonly Worker[] }) {
  return (
    <Section heading="Workers" note="those that ended are shown for a day">
      {workers.length === 0 ? (
        <EmptyState icon={Server} title="No worker">
          Nothing takes runs from the queue. Start a server with <code>syla up</code>.
        </EmptyState>
      ) : (
        <Box as="ul" listStyleType="none">
          {workers.map((worker) => (
            <WorkerRow key={worker.id} worker={worker} />
          ))}
        </Box>
      )}
    </Section>
  );
}

function WorkerRow({ worker }: { readonly worker: Worker }) {
  const ended = worker.state === "stopped" || worker.stoppedAt !== null;
  return (
    <Flex
      as="li"
      align="center"
      columnGap="4"
      rowGap="1"
      wrap="wrap"
      px="4"
      py="2.5"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
    >
      <Box w="24">
        <WorkerState worker={worker} />
      </Box>
      <Box minW="0" flex="1 1 200px">
        <Text overflowWrap="anywhere">
          <Text as="span" fontWeight="medium">
            {worker.hostname}
          </Text>{" "}
          <Text as="span" color="fg.muted">
            process {worker.pid}
            {worker.version === null ? "" : `, Syla ${worker.version}`}
            {worker.current ? ", this server" : ""}
          </Text>
        </Text>
        <Text fontFamily="mono" fontSize="xs" color="fg.subtle" overflowWrap="anywhere">
          {worker.id}
        </Text>
      </Box>
      {ended || worker.slots === null ? null : (
        <Box w="40">
          <SlotBar
            busy={worker.runs}
            ready={worker.draining ? 0 : Math.max(worker.slots - worker.runs, 0)}
            slots={worker.slots}
            wanted={worker.slots}
          />
          <Text fontSize="xs" color="fg.muted">
            {formatCount(worker.runs)} of {formatCount(worker.slots)} slots in use
          </Text>
        </Box>
      )}
      <Box fontSize="xs" color="fg.muted" w="28" textAlign={{ base: "left", md: "right" }}>
        {ended ? "ended " : worker.state === "lost" ? "silent since " : "started "}
        <TimeAgo time={worker.stoppedAt ?? (worker.state === "lost" ? worker.leaseUntil : worker.startedAt)} />
      </Box>
      {ended || worker.slots === 0 ? null : <DrainButton worker={worker} />}
    </Flex>
  );
}

/** One that is about to leave takes nothing any more, whatever is said here. */
function DrainButton({ worker }: { readonly worker: Worker }) {
  const drain = useDrainWorker();
  const { id, hostname, pid, drainedAt } = worker;
  const isDrained = drainedAt !== null;
  const name = isDrained ? "Resume" : "Drain";
  return (
    <>
      <Button
        size="xs"
        variant="outline"
        w="24"
        title={isDrained ? "Take runs again" : "Take no more runs; what runs goes on"}
        aria-label={`${name} ${hostname}, process ${pid}`}
        disabled={worker.draining && !isDrained}
        loading={drain.isPending}
        onClick={() => drain.mutate({ id, drained: !isDrained })}
      >
        {isDrained ? <Play aria-hidden /> : <Pause aria-hidden />} {name}
      </Button>
      {drain.error ? (
        <Box flexBasis="full">
          <ErrorPanel error={drain.error} />
        </Box>
      ) : null}
    </>
  );
}

function WorkerState({ worker }: { readonly worker: Worker }) {
  const isDrained = worker.drainedAt !== null && worker.runs === 0;
  const state = worker.draining && worker.state === "live" ? (isDrained ? "drained" : "draining") : worker.state;
  const { label, color, icon: Icon } = looks[state];
  return (
    <Flex as="span" align="center" gap="1.5" color={color} whiteSpace="nowrap" data-status={state}>
      <Icon size={16} aria-hidden />
      <Text as="span" fontWeight="medium">
        {label}
      </Text>
    </Flex>
  );
}
