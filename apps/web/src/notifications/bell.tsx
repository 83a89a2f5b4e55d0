import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import { Bell as BellIcon } from "lucide-react";
import { useRef, useState } from "react";
import { Link } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { NotificationRow } from "./notification-row.tsx";
import { useLiveNotifications, useNotifications, useReadAll, useSetRead, useUnread } from "./queries.ts";

const popoverId = "newest-notifications";

/**
 * The bell with the number of what is unread, as it changes, and the newest behind it: in the browser's own popover, which closes on Escape and on a
 * click elsewhere, and gives focus back by itself.
 */
export function Bell() {
  useLiveNotifications(useMe().data?.id);
  const unread = useUnread().data?.unread ?? 0;
  const button = useRef<HTMLButtonElement>(null);
  const popover = useRef<HTMLDivElement>(null);
  const [open, setOpen] = useState(false);
  const label = unread === 0 ? "Notifications" : `Notifications, ${unread} unread`;
  return (
    <>
      <Button
        ref={button}
        popoverTarget={popoverId}
        aria-expanded={open}
        size="xs"
        variant="ghost"
        px="0"
        position="relative"
        color="fg.muted"
        aria-label={label}
        title="Notifications"
      >
        <BellIcon size={16} aria-hidden />
        {unread > 0 ? <Badge count={unread} /> : null}
      </Button>
      <chakra.div
        ref={popover}
        id={popoverId}
        popover="auto"
        role="dialog"
        aria-label="Notifications"
        onBeforeToggle={(event) => {
          const { bottom = 0, right = 0 } = button.current?.getBoundingClientRect() ?? {};
          Object.assign(event.currentTarget.style, { top: `${bottom + 4}px`, right: `${Math.max(8, window.innerWidth - right)}px` });
          setOpen(event.newState === "open");
        }}
        position="fixed"
        inset="auto"
        m="0"
        p="0"
        w="min(24rem, calc(100vw - 16px))"
        bg="bg.panel"
        color="fg"
        borderWidth="1px"
        borderColor="border"
        rounded="lg"
        shadow="lg"
        overflow="hidden"
      >
        {open ? <Newest onClose={() => popover.current?.hidePopover()} /> : null}
      </chakra.div>
    </>
  );
}

function Badge({ count }: { readonly count: number }) {
  return (
    <Box
      as="span"
      aria-hidden
      position="absolute"
      top="0"
      right="-1"
      minW="4"
      h="4"
      px="1"
      rounded="full"
      bg="accent.solid"
      color="white"
      fontSize="2xs"
      lineHeight="16px"
      fontVariantNumeric="tabular-nums"
    >
      {count > 99 ? "99+" : count}
    </Box>
  );
}

function Newest({ onClose }: { readonly onClose: () => void }) {
  const list = useNotifications({ unread: false, type: "" }, 10);
  const readAll = useReadAll();
  const setRead = useSetRead();
  const items = list.data?.pages[0]?.items ?? [];
  return (
    <>
      <Flex align="center" px="3" h="10" borderBottomWidth="1px" borderColor="border">
        <Text fontWeight="semibold">Notifications</Text>
        <Button ml="auto" size="2xs" variant="ghost" onClick={() => readAll.mutate(undefined)} loading={readAll.isPending}>
          Mark all as read
        </Button>
      </Flex>
      {list.isPending ? <SkeletonRows rows={3} /> : null}
      {list.isError ? <ErrorPanel error={list.error} onRetry={() => void list.refetch()} /> : null}
      {list.isSuccess && items.length === 0 ? (
        <Text px="3" py="6" color="fg.muted" textAlign="center">
          Nothing yet. Long runs, shares and announcements are told here.
        </Text>
      ) : null}
      <Box as="ul" listStyleType="none" maxH="60dvh" overflowY="auto">
        {items.map((notification) => (
          <NotificationRow
            key={notification.id}
            notification={notification}
            onRead={(read) => setRead.mutate({ id: notification.id, read })}
            onOpen={onClose}
          />
        ))}
      </Box>
      <Flex px="3" h="10" align="center" borderTopWidth="1px" borderColor="border" fontSize="xs" gap="3">
        <Link to="/notifications" onClick={onClose}>
          All notifications
        </Link>
        <Box ml="auto" color="fg.muted">
          <Link to="/settings/notifications" onClick={onClose}>
            Preferences
          </Link>
        </Box>
      </Flex>
    </>
  );
}
