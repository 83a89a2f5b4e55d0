import { Button, Flex, Text } from "@chakra-ui/react";
import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

/** Copies text; also where the page has no secure context and the clipboard API is missing. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  // Outside of a dialog that is open nothing can be selected.
  ([...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body).append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

/** A `copied` flag that falls back by itself, and the function that copies. */
export function useCopy(): readonly [boolean, (text: string) => void] {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), 1600);
    return () => clearTimeout(timer);
  }, [copied]);
  return [copied, (text) => void copyText(text).then(() => setCopied(true))];
}

interface CopyableProps {
  readonly text: string;
  /** What is shown when it should be shorter than what is copied. */
  readonly shown?: string;
  readonly label?: string;
}

/** An id or a command in monospace that one click copies. */
export function Copyable({ text, shown, label }: CopyableProps) {
  const [copied, copy] = useCopy();
  return (
    <Button
      variant="plain"
      size="2xs"
      onClick={() => copy(text)}
      aria-label={`Copy ${label ?? "id"} ${text}`}
      title={text}
      h="6"
      minW="0"
      maxW="100%"
      px="1"
      mx="-1"
      gap="1.5"
      fontFamily="mono"
      fontSize="xs"
      fontWeight="normal"
      color="fg.muted"
      flexShrink="1"
      _hover={{ bg: "bg.muted", color: "fg" }}
    >
      <Text as="span" truncate>
        {shown ?? text}
      </Text>
      <Flex as="span" aria-hidden color={copied ? "fg.success" : "fg.subtle"} flexShrink="0" css={{ "& svg": { w: "3", h: "3" } }}>
        {copied ? <Check size={12} /> : <Copy size={12} />}
      </Flex>
      <Text as="span" srOnly aria-live="polite">
        {copied ? "Copied" : ""}
      </Text>
    </Button>
  );
}
