import { Box, Button, Menu, Portal, Text } from "@chakra-ui/react";
import { KeyRound, LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import { useNavigate } from "react-router";
import { useMe, useSignOut } from "../accounts/queries.ts";
import { type ColorPreference, setColorPreference, useColorPreference } from "./color-mode.ts";

const modes = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "As the system", icon: Monitor },
] as const satisfies readonly { readonly value: ColorPreference; readonly label: string; readonly icon: unknown }[];

function initials(name: string): string {
  const letters = name.split(/\s+/).map((word) => Array.from(word)[0] ?? "");
  return (letters.length > 1 ? `${letters[0]}${letters.at(-1)}` : (letters[0] ?? "?")).toUpperCase();
}

/** Who you are, how it looks, and the way out. */
export function UserMenu() {
  const me = useMe();
  const preference = useColorPreference();
  const signOut = useSignOut();
  const navigate = useNavigate();
  const name = me.data?.name ?? "";
  return (
    <Menu.Root positioning={{ placement: "bottom-end" }} lazyMount>
      <Menu.Trigger asChild>
        <Button size="xs" variant="subtle" rounded="full" px="0" aria-label={`${initials(name)}, account of ${name}`} fontSize="2xs">
          {initials(name)}
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content minW="52">
            <Box px="2" py="1.5">
              <Text fontWeight="medium" truncate>
                {name}
              </Text>
              <Text fontSize="xs" color="fg.muted" truncate>
                {me.data?.email ?? "no e-mail address yet"}
              </Text>
            </Box>
            <Menu.Separator />
            <Menu.Item value="profile" onSelect={() => void navigate("/settings/profile")}>
              <UserRound size={14} aria-hidden /> Profile
            </Menu.Item>
            <Menu.Item value="keys" onSelect={() => void navigate("/settings/api-keys")}>
              <KeyRound size={14} aria-hidden /> API keys
            </Menu.Item>
            <Menu.Separator />
            <Menu.RadioItemGroup value={preference} onValueChange={(details) => setColorPreference(details.value as ColorPreference)}>
              {modes.map(({ value, label, icon: Icon }) => (
                <Menu.RadioItem key={value} value={value} closeOnSelect={false}>
                  <Icon size={14} aria-hidden /> {label}
                  <Menu.ItemIndicator />
                </Menu.RadioItem>
              ))}
            </Menu.RadioItemGroup>
            <Menu.Separator />
            <Menu.Item value="sign-out" onSelect={() => signOut.mutate()}>
              <LogOut size={14} aria-hidden /> Sign out
            </Menu.Item>
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}
