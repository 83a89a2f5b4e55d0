import { chakra, Flex } from "@chakra-ui/react";

const isMac = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** The modifier's name on this machine. */
const modKey = isMac ? "⌘" : "Ctrl";

const shown: Readonly<Record<string, string>> = { mod: modKey, enter: "↵", escape: "Esc", shift: "Shift", up: "↑", down: "↓" };

interface ShortcutKeysProps {
  /** Keys pressed together or one after another: `["mod", "k"]`, `["g", "r"]`. */
  readonly keys: readonly string[];
}

/** Keys as small caps. */
export function ShortcutKeys({ keys }: ShortcutKeysProps) {
  return (
    <Flex as="span" gap="1" display="inline-flex" aria-hidden>
      {keys.map((key) => (
        <chakra.kbd
          key={key}
          fontFamily="body"
          fontSize="2xs"
          lineHeight="1"
          color="fg.muted"
          bg="bg.subtle"
          borderWidth="1px"
          borderColor="border"
          rounded="sm"
          px="1"
          py="0.5"
          minW="4"
          textAlign="center"
        >
          {shown[key] ?? (key.length === 1 ? key.toUpperCase() : key)}
        </chakra.kbd>
      ))}
    </Flex>
  );
}
