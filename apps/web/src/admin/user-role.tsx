import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { UserRecord } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useSetRole } from "./queries.ts";
import { roleNames, roles, roleNotes } from "./roles.ts";

interface UserRoleProps {
  readonly user: UserRecord;
  readonly onDone: (text: string) => void;
}

/** Gives an account another role, once it is confirmed. */
export function UserRole({ user, onDone }: UserRoleProps) {
  const [chosen, setChosen] = useState(user.role);
  const setRole = useSetRole();
  const save = () =>
    setRole.mutate(
      { id: user.id, role: chosen },
      { onSuccess: () => onDone(`The role of ${user.name} is ${roleNames[chosen].toLowerCase()} from now on.`) },
    );
  return (
    <Box px="4" py="2.5">
      <Flex columnGap="3" rowGap="1" align="center" wrap="wrap">
        <Text flex="1 1 220px" fontSize="xs" color="fg.muted">
          {roleNotes[chosen]}
        </Text>
        <SelectField
          label="Role"
          size="xs"
          width="40"
          value={chosen}
          onChoose={(value) => setChosen(roles.find((role) => role === value) ?? user.role)}
        >
          {roles.map((role) => (
            <option key={role} value={role}>
              {roleNames[role]}
            </option>
          ))}
        </SelectField>
      </Flex>
      {chosen === user.role ? null : (
        <Flex gap="2" mt="2" justify="flex-end" align="center" wrap="wrap">
          <Text fontSize="xs">It takes effect with their next request.</Text>
          <Button size="xs" variant="ghost" onClick={() => setChosen(user.role)}>
            Cancel
          </Button>
          <Button size="xs" colorPalette="accent" loading={setRole.isPending} onClick={save}>
            Make them {roleNames[chosen].toLowerCase()}
          </Button>
        </Flex>
      )}
      {setRole.error ? (
        <Box mt="2">
          <ErrorPanel error={setRole.error} />
        </Box>
      ) : null}
    </Box>
  );
}
