import { Button, Flex, Text } from "@chakra-ui/react";
import { CircleCheck, Info, X } from "lucide-react";
import { useEffect } from "react";
import { IconButton } from "./icon-button.tsx";

/** How long it stays, milliseconds: the page itself shows what has changed. */
const shownMs = 8000;

interface ToastProps {
  readonly text: string;
  readonly onGone: () => void;
  /** `told`: it says something, and nothing was done. */
  readonly tone?: "done" | "told";
  /** What can be done about it, while it is shown. */
  readonly action?: { readonly label: string; readonly run: () => void };
}

/** Says that something is done. It lies over the end of whatever scrolls around it: a dialog shuts out what is not inside. */
export function Toast({ text, onGone, tone = "done", action }: ToastProps) {
  useEffect(() => {
    const timer = setTimeout(onGone, shownMs);
    return () => clearTimeout(timer);
    // Each text has its time; the callback is new on every render.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [text]);
  return (
    <Flex
      role="status"
      position="sticky"
      bottom="3"
      zIndex="3"
      mx="4"
      my="3"
      px="3"
      py="1"
      gap="2"
      align="center"
      bg="bg.panel"
      borderWidth="1px"
      borderColor="border.emphasized"
      rounded="md"
      shadow="lg"
    >
      <Flex aria-hidden color={tone === "done" ? "fg.success" : "fg.info"} flexShrink="0">
        {tone === "done" ? <CircleCheck size={16} /> : <Info size={16} />}
      </Flex>
      <Text flex="1" minW="0" overflowWrap="anywhere">
        {text}
      </Text>
      {action === undefined ? null : (
        <Button size="xs" variant="outline" onClick={action.run}>
          {action.label}
        </Button>
      )}
      <IconButton label="Close" onClick={onGone}>
        <X />
      </IconButton>
    </Flex>
  );
}
