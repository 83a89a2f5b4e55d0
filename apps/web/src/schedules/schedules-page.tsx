import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Schedule } from "@syla/sdk";
import { CalendarClock, Pause, Pencil, Play, Plus, Trash2 } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { PageHeader, ScrollPage, Section } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { StatusBadge } from "../ui/status-badge.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { NextTimes } from "./next-times.tsx";
import { useDeleteSchedule, useEnableSchedule, useSchedules } from "./queries.ts";
import { ScheduleDialog } from "./schedule-dialog.tsx";

/** Programs that run again and again. */
export default function SchedulesPage() {
  const role = useMe().data?.role;
  const isAdmin = role === "admin";
  const [all, setAll] = useState(false);
  const [edited, setEdited] = useState<Schedule | "new" | null>(null);
  const schedules = useSchedules(all);
  const create =
    role === "end_user" ? null : (
      <Button size="xs" colorPalette="accent" onClick={() => setEdited("new")}>
        <Plus aria-hidden /> New schedule
      </Button>
    );
  return (
    <ScrollPage>
      <PageHeader title="Schedules" actions={create} />
      {isAdmin ? (
        <Box mb="3">
          <FilterChip pressed={all} onClick={() => setAll(!all)}>
            Everybody’s
          </FilterChip>
        </Box>
      ) : null}
      {schedules.isError ? (
        <ErrorPanel error={schedules.error} onRetry={() => void schedules.refetch()} />
      ) : schedules.isPending ? (
        <SkeletonRows rows={4} />
      ) : schedules.data.length === 0 ? (
        <EmptyState icon={CalendarClock} title="Nothing is scheduled">
          A schedule runs a program of the catalog again and again, as you.
        </EmptyState>
      ) : (
        <Section heading="Schedules">
          {schedules.data.map((schedule) => (
            <ScheduleRow key={schedule.id} schedule={schedule} showOwner={all} onEdit={() => setEdited(schedule)} />
          ))}
        </Section>
      )}
      {edited === null ? null : <ScheduleDialog schedule={edited === "new" ? null : edited} onClose={() => setEdited(null)} />}
    </ScrollPage>
  );
}

interface ScheduleRowProps {
  readonly schedule: Schedule;
  readonly showOwner: boolean;
  readonly onEdit: () => void;
}

function ScheduleRow({ schedule, showOwner, onEdit }: ScheduleRowProps) {
  const enable = useEnableSchedule();
  const remove = useDeleteSchedule();
  const { id, name, program, cron, timeZone, enabled, disabledReason, next, owner } = schedule;
  const failure = enable.error ?? remove.error;
  return (
    <Flex gap="3" px="4" py="3" wrap="wrap" align="flex-start" borderBottomWidth="1px" borderColor="border.muted">
      <Box minW="0" flex="1 1 280px">
        <Flex gap="2" align="baseline" wrap="wrap">
          <Text fontWeight="medium" overflowWrap="anywhere">
            {name}
          </Text>
          <Text fontFamily="mono" fontSize="xs" overflowWrap="anywhere">
            {cron}
          </Text>
          <Text fontSize="xs" color="fg.muted">
            {timeZone}
            {showOwner ? ` · ${owner.name}` : ""}
          </Text>
        </Flex>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          runs{" "}
          <Text as="span" textDecoration="underline">
            <Link to={`/programs/${program.id}`}>{program.name ?? "a program that is gone"}</Link>
          </Text>
        </Text>
        {disabledReason === null ? null : (
          <Text fontSize="xs" color="fg.error">
            Disabled by the server: {disabledReason.replaceAll("_", " ")}
          </Text>
        )}
        {enabled ? <NextTimes times={next} timeZone={timeZone} /> : null}
        <LastTime last={schedule.last} />
        {failure ? <ErrorPanel error={failure} /> : null}
      </Box>
      <Flex gap="2" wrap="wrap">
        <Button
          size="xs"
          variant="outline"
          aria-label={`${enabled ? "Disable" : "Enable"} ${name}`}
          loading={enable.isPending}
          onClick={() => enable.mutate({ id, enabled: !enabled })}
        >
          {enabled ? <Pause aria-hidden /> : <Play aria-hidden />} {enabled ? "Disable" : "Enable"}
        </Button>
        <Button size="xs" variant="outline" aria-label={`Change ${name}`} onClick={onEdit}>
          <Pencil aria-hidden /> Change
        </Button>
        <Button size="xs" variant="outline" aria-label={`Delete ${name}`} loading={remove.isPending} onClick={() => remove.mutate(id)}>
          <Trash2 aria-hidden /> Delete
        </Button>
      </Flex>
    </Flex>
  );
}

function LastTime({ last }: { readonly last: Schedule["last"] }) {
  if (last === null) return null;
  return (
    <Flex gap="2" fontSize="xs" color="fg.muted" align="center" wrap="wrap">
      <span>
        Last: <TimeAgo time={last.at} />, {last.outcome.replaceAll("_", " ")}
      </span>
      {last.runId !== null && last.status !== null ? (
        <Link to={`/runs/${last.runId}`}>
          <StatusBadge status={last.status} />
        </Link>
      ) : null}
    </Flex>
  );
}
