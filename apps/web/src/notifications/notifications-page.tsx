import { Button } from "@chakra-ui/react";
import type { NotificationType } from "@syla/sdk";
import { Bell, CheckCheck, SlidersHorizontal } from "lucide-react";
import { Link, useSearchParams } from "react-router";
import { EmptyState } from "../ui/empty-state.tsx";
import { FilterBar, FilterChoice } from "../ui/filter-bar.tsx";
import { FilterChip } from "../ui/filter-chip.tsx";
import { PageHeader, ScrollPage } from "../ui/page.tsx";
import { PagedList } from "../ui/paged-list.tsx";
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
      <PagedList
        pages={list}
        problem={readAll.error ?? setRead.error ?? remove.error}
        empty={
          <EmptyState icon={Bell} title={filter.unread || filter.type ? "Nothing matches these filters" : "Nothing yet"}>
            Long runs that end, things that are shared with you, and announcements are told here.
          </EmptyState>
        }
        renderRow={(notification) => (
          <NotificationRow
            notification={notification}
            onRead={(read) => setRead.mutate({ id: notification.id, read })}
            onDelete={() => remove.mutate(notification.id)}
          />
        )}
      />
    </ScrollPage>
  );
}

interface FiltersProps {
  readonly filter: NotificationListFilter;
  readonly onChange: (filter: NotificationListFilter) => void;
}

function Filters({ filter, onChange }: FiltersProps) {
  return (
    <FilterBar>
      <FilterChip pressed={filter.unread} onClick={() => onChange({ ...filter, unread: !filter.unread })}>
        Unread
      </FilterChip>
      <FilterChoice
        label="Type"
        value={filter.type}
        none="any type"
        onChoose={(type) => onChange({ ...filter, type: type as NotificationType | "" })}
      >
        {notificationTypes.map((type) => (
          <option key={type} value={type}>
            {notificationLooks[type].label}
          </option>
        ))}
      </FilterChoice>
    </FilterBar>
  );
}
