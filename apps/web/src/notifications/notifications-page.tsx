import { Box, Button, Flex, NativeSelect } from "@chakra-ui/react";
import type { NotificationType } from "@syla/sdk";
import { Bell, CheckCheck, SlidersHorizontal } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { notificationLooks, notificationTypes } from "./notification-looks.ts";
import { NotificationRow } from "./notification-row.tsx";
import { type NotificationListFilter, useDeleteNotification, useNotifications, useReadAll, useSetRead } from "./queries.ts";

function readFilter(search: URLSearchParams): NotificationListFilter {
  const type = search.get("type") ?? "";
  return { unread: search.get("show") === "unread", type: notificationTypes.find((known) => known === type) ?? "" };
}

function writeFilter({ unread, type }: NotificationListFilter): URLSearchParams {
  return new URLSearchParams({ ...(unread ? { show: "unread" } : {}), ...(type === "" ? {} : { type }) });
}

/** Everything that you were told, filtered by what stands in the address. */
export default function NotificationsPage() {
  const [search, setSearch] = useSearchParams();
  const filter = readFilter(search);
  const list = useNotifications(filter, 50);
  const [readAll, setRead, remove] = [useReadAll(), useSetRead(), useDeleteNotification()];
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  const problem = list.error ?? readAll.error ?? setRead.error ?? remove.error;
  return (
    <ScrollPage>
      <PageHeader
        title="Notifications"
        actions={
          <>
            <Button asChild size="xs" variant="outline">
              <Link to="/settings/notifications">
                <SlidersHorizontal aria-hidden /> Preferences
              </Link>
            </Button>
            <Button size="xs" variant="outline" loading={readAll.isPending} onClick={() => readAll.mutate(undefined)}>
              <CheckCheck aria-hidden /> Mark all as read
            </Button>
          </>
        }
      />
      <Filters filter={filter} onChange={(changed) => setSearch(writeFilter(changed), { replace: true })} />
      {problem ? (
        <Box mb="3">
          <ErrorPanel error={problem} onRetry={() => void list.refetch()} />
        </Box>
      ) : null}
      {list.isPending ? <SkeletonRows rows={6} /> : null}
      {list.isSuccess && items.length === 0 ? (
        <EmptyState icon={Bell} title={filter.unread || filter.type ? "Nothing matches these filters" : "Nothing yet"}>
          Long runs that end, things that are shared with you, and announcements are told here.
        </EmptyState>
      ) : null}
      {items.length > 0 ? (
        <Box as="ul" listStyleType="none" borderWidth="1px" borderColor="border" rounded="md" bg="bg.panel" overflow="hidden">
          {items.map((notification) => (
            <NotificationRow
              key={notification.id}
              notification={notification}
              onRead={(read) => setRead.mutate({ id: notification.id, read })}
              onDelete={() => remove.mutate(notification.id)}
            />
          ))}
        </Box>
      ) : null}
      {list.hasNextPage ? (
        <Flex justify="center" mt="3">
          <Button size="xs" variant="outline" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
            Older ones
          </Button>
        </Flex>
      ) : null}
    </ScrollPage>
  );
}

interface FiltersProps {
  readonly filter: NotificationListFilter;
  readonly onChange: (filter: NotificationListFilter) => void;
}

function Filters({ filter, onChange }: FiltersProps) {
  return (
    <Flex gap="2" wrap="wrap" align="center" pb="3">
      <FilterChip pressed={filter.unread} onClick={() => onChange({ ...filter, unread: !filter.unread })}>
        Unread
      </FilterChip>
      <NativeSelect.Root size="xs" w="auto">
        <NativeSelect.Field
          aria-label="Type"
          h="7"
          rounded="full"
          value={filter.type}
          onChange={(event) => onChange({ ...filter, type: event.currentTarget.value as NotificationType | "" })}
        >
          <option value="">any type</option>
          {notificationTypes.map((type) => (
            <option key={type} value={type}>
              {notificationLooks[type].label}
            </option>
          ))}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
    </Flex>
  );
}
