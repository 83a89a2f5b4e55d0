import { Box, Menu, Portal, Text } from "@chakra-ui/react";
import { KeyRound, LogOut, Monitor, Moon, Sun, UserRound } from "lucide-react";
import type { ReactElement } from "react";
import { useNavigate } from "react-router";
import { useMe, useSignOut } from "../accounts/queries.ts";
import { type ColorPreference, setColorPreference, useColorPreference } from "./color-mode.ts";

const modes = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "As the system", icon: Monitor },
] as const satisfies readonly { readonly value: ColorPreference; readonly label: string; readonly icon: unknown }[];

/** The menu of the account, which is open at first, behind the button that opens it again. */
export default function OpenUserMenu({ button }: { readonly button: ReactElement }) {
  const me = useMe();
  const preference = useColorPreference();
  const signOut = useSignOut();
  const navigate = useNavigate();
  return (
    <Menu.Root defaultOpen positioning={{ placement: "bottom-end" }} lazyMount>
      <Menu.Trigger asChild>{button}</Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content minW="52">
            <Box px="2" py="1.5">
              <Text fontWeight="medium" truncate>
                {me.data?.name}
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
