import { Box, chakra, Flex, Heading, Text } from "@chakra-ui/react";
import { Modal } from "../ui/modal.tsx";
import { ShortcutKeys } from "../ui/shortcut-keys.tsx";
import { shortcutGroups } from "./shortcuts.ts";

interface ShortcutsDialogProps {
  readonly onClose: () => void;
  readonly singleKeys: boolean;
  readonly onSingleKeys: (on: boolean) => void;
}

/** The list behind `?`. */
export function ShortcutsDialog({ onClose, singleKeys, onSingleKeys }: ShortcutsDialogProps) {
  return (
    <Modal label="Keyboard shortcuts" onClose={onClose}>
      <Box px="4" py="3">
        {shortcutGroups.map((group) => (
          <Box key={group.title} mb="4">
            <Heading as="h3" fontSize="xs" color="fg.muted" fontWeight="medium" mb="1">
              {group.title}
            </Heading>
            {group.shortcuts.map((shortcut) => (
              <Flex key={shortcut.label} justify="space-between" py="1">
                <Text>{shortcut.label}</Text>
                <Text as="span">
                  <Text as="span" srOnly>
                    {shortcut.keys.join(" ")}
                  </Text>
                  <ShortcutKeys keys={shortcut.keys} />
                </Text>
              </Flex>
            ))}
          </Box>
        ))}
        <chakra.label display="flex" gap="2" alignItems="center" borderTopWidth="1px" borderColor="border" pt="3">
          <chakra.input
            type="checkbox"
            accentColor="accent.solid"
            checked={singleKeys}
            onChange={(event) => onSingleKeys(event.currentTarget.checked)}
          />
          Shortcuts of a single key
        </chakra.label>
      </Box>
    </Modal>
  );
}
