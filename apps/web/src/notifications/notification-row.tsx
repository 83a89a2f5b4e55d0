import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { Notification } from "@syla/sdk";
import { Circle, CircleCheck, Trash2 } from "lucide-react";
import { Link } from "react-router";
import { IconButton } from "../ui/icon-button.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { notificationLooks } from "./notification-looks.ts";

interface NotificationRowProps {
  readonly notification: Notification;
  readonly onRead: (read: boolean) => void;
  /** Left out where there is no room for it. */
  readonly onDelete?: () => void;
  readonly onOpen?: () => void;
}

/** One notification: what, when, and whether it was read. */
export function NotificationRow({ notification, onRead, onDelete, onOpen }: NotificationRowProps) {
  const { type, title, body, link, createdAt, readAt } = notification;
  const { icon: Icon, label } = notificationLooks[type];
  const unread = readAt === null;
  const open = () => {
    if (unread) onRead(true);
    onOpen?.();
  };
  return (
    <Flex
      as="li"
      gap="3"
      px="3"
      py="2.5"
      align="flex-start"
      borderBottomWidth="1px"
      borderColor="border.muted"
      _last={{ borderBottomWidth: "0" }}
      bg={unread ? "accent.subtle" : "transparent"}
    >
      <Box color="fg.muted" mt="0.5" title={label}>
        <Icon size={16} aria-hidden />
      </Box>
      <Box minW="0" flex="1">
        <Text fontWeight={unread ? "medium" : "normal"} overflowWrap="anywhere">
          {unread ? <chakra.span srOnly>Unread: </chakra.span> : null}
          {link === null ? (
            title
          ) : (
            <Link to={link} onClick={open}>
              {title}
            </Link>
          )}
        </Text>
        {body === "" ? null : (
          <Text color="fg.muted" fontSize="xs" whiteSpace="pre-line" overflowWrap="anywhere" lineClamp="4">
            {body}
          </Text>
        )}
        <Text as="div" fontSize="xs" color="fg.muted">
          <TimeAgo time={createdAt} />
        </Text>
      </Box>
      <Flex flexShrink="0">
        <IconButton label={unread ? `Mark “${title}” as read` : `Mark “${title}” as unread`} onClick={() => onRead(unread)}>
          {unread ? <CircleCheck /> : <Circle />}
        </IconButton>
        {onDelete ? (
          <IconButton label={`Delete “${title}”`} onClick={onDelete}>
            <Trash2 />
          </IconButton>
        ) : null}
      </Flex>
    </Flex>
  );
}
