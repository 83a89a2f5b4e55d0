import { Box, Button, Popover, Portal } from "@chakra-ui/react";
import { Bell as BellIcon } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useLiveNotifications, useUnread } from "./queries.ts";

const Newest = lazy(async () => ({ default: (await import("./newest.tsx")).Newest }));

/** The bell with the number of what is unread, as it changes, and the newest behind it. */
export function Bell() {
  useLiveNotifications(useMe().data?.id);
  const unread = useUnread().data?.unread ?? 0;
  const [open, setOpen] = useState(false);
  const label = unread === 0 ? "Notifications" : `Notifications, ${unread} unread`;
  return (
    <Popover.Root
      open={open}
      onOpenChange={(details) => setOpen(details.open)}
      positioning={{ placement: "bottom-end" }}
      lazyMount
      unmountOnExit
    >
      <Popover.Trigger asChild>
        <Button size="xs" variant="ghost" px="0" position="relative" color="fg.muted" aria-label={label} title="Notifications">
          <BellIcon size={16} aria-hidden />
          {unread > 0 ? <Badge count={unread} /> : null}
        </Button>
      </Popover.Trigger>
      <Portal>
        <Popover.Positioner>
          <Popover.Content
            w="min(24rem, calc(100vw - 16px))"
            bg="bg.panel"
            color="fg"
            borderWidth="1px"
            borderColor="border"
            rounded="lg"
            shadow="lg"
            zIndex="popover"
            overflow="hidden"
            aria-label="Notifications"
          >
            <Suspense fallback={<SkeletonRows rows={3} />}>
              <Newest onClose={() => setOpen(false)} />
            </Suspense>
          </Popover.Content>
        </Popover.Positioner>
      </Portal>
    </Popover.Root>
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
