import { Button, Flex, Text } from "@chakra-ui/react";
import { Keyboard, Menu as MenuIcon, Play, Search } from "lucide-react";
import { Link } from "react-router";
import { Bell } from "../notifications/bell.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { ShortcutKeys } from "../ui/shortcut-keys.tsx";
import { UserMenu } from "./user-menu.tsx";

interface HeaderProps {
  readonly onMenu: () => void;
  readonly onPalette: () => void;
  readonly onShortcuts: () => void;
}

/** The bar over every page: find, new run, who you are. */
export function Header({ onMenu, onPalette, onShortcuts }: HeaderProps) {
  return (
    <Flex
      as="header"
      align="center"
      gap="2"
      h="12"
      px={{ base: "2", md: "4" }}
      borderBottomWidth="1px"
      borderColor="border"
      bg="bg"
      flexShrink="0"
    >
      <IconButton label="Menu" display={{ base: "inline-flex", md: "none" }} onClick={onMenu}>
        <MenuIcon />
      </IconButton>
      <Button
        size="xs"
        variant="outline"
        color="fg.subtle"
        fontWeight="normal"
        justifyContent="flex-start"
        flex="1"
        minW="0"
        maxW="320px"
        onClick={onPalette}
        aria-keyshortcuts="Control+K Meta+K"
      >
        <Search aria-hidden />
        <Text as="span" truncate>
          Find a page, a run or a command
        </Text>
        <Flex as="span" ml="auto" display={{ base: "none", sm: "flex" }}>
          <ShortcutKeys keys={["mod", "k"]} />
        </Flex>
      </Button>
      <Flex ml="auto" align="center" gap="1">
        <Button asChild size="xs" colorPalette="accent">
          <Link to="/runs/new">
            <Play aria-hidden /> New run
          </Link>
        </Button>
        <IconButton label="Keyboard shortcuts" display={{ base: "none", md: "inline-flex" }} onClick={onShortcuts}>
          <Keyboard />
        </IconButton>
        <Bell />
        <UserMenu />
      </Flex>
    </Flex>
  );
}
