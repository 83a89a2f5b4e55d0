import { Box, Flex, Text } from "@chakra-ui/react";
import type { Announcement } from "@syla/sdk";
import { Info, TriangleAlert, X } from "lucide-react";
import { useState } from "react";
import { IconButton } from "../ui/icon-button.tsx";
import { useAnnouncements } from "./queries.ts";

const storageKey = "syla.announcements.closed";

function readClosed(): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storageKey) ?? "[]");
    return Array.isArray(stored) ? stored.filter((id) => typeof id === "string") : [];
  } catch {
    return [];
  }
}

/** What administrators say to everybody, until each person closes it. */
export function AnnouncementBanner() {
  const announcements = useAnnouncements();
  const [closed, setClosed] = useState(readClosed);
  const close = (id: string) => {
    // Only those that are still shown are worth remembering.
    const known = announcements.data?.map((announcement) => announcement.id) ?? [];
    const next = [...closed.filter((other) => known.includes(other)), id];
    localStorage.setItem(storageKey, JSON.stringify(next));
    setClosed(next);
  };
  return announcements.data
    ?.filter(({ id }) => !closed.includes(id))
    .slice(0, 3)
    .map((announcement) => <Banner key={announcement.id} announcement={announcement} onClose={() => close(announcement.id)} />);
}

function Banner({ announcement, onClose }: { readonly announcement: Announcement; readonly onClose: () => void }) {
  const { level, title, body } = announcement;
  const warning = level === "warning";
  return (
    <Flex
      role="status"
      gap="2"
      px="4"
      py="1"
      align="center"
      fontSize="xs"
      borderBottomWidth="1px"
      borderColor="border"
      bg={warning ? "bg.warning" : "accent.subtle"}
      color={warning ? "fg.warning" : "fg"}
    >
      {warning ? <TriangleAlert size={14} aria-hidden /> : <Info size={14} aria-hidden />}
      <Box minW="0" flex="1">
        <Text as="span" fontWeight="medium" overflowWrap="anywhere">
          {title}
        </Text>{" "}
        <Text as="span" overflowWrap="anywhere">
          {body}
        </Text>
      </Box>
      <IconButton label={`Close “${title}”`} onClick={onClose}>
        <X />
      </IconButton>
    </Flex>
  );
}
