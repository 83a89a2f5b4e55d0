import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { Link } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { NotificationRow } from "./notification-row.tsx";
import { useNotifications, useReadAll, useSetRead } from "./queries.ts";

/** The newest notifications, behind the bell. */
export function Newest({ onClose }: { readonly onClose: () => void }) {
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
