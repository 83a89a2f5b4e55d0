import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { UserHoldings, UserRecord } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatPlural } from "../ui/format.ts";
import { useDeleteUser } from "./queries.ts";

interface DeleteUserProps {
  readonly user: UserRecord & { holdings: UserHoldings };
  readonly onDeleted: () => void;
}

/** Deletes an account, after saying what becomes of what it has. */
export function DeleteUser({ user, onDeleted }: DeleteUserProps) {
  const [open, setOpen] = useState(false);
  const [transferTo, setTransferTo] = useState("");
  const remove = useDeleteUser();
  if (!open) {
    return (
      <Flex px="4" py="3" borderTopWidth="1px" borderColor="border">
        <Button size="sm" variant="ghost" colorPalette="red" onClick={() => setOpen(true)}>
          Delete this account …
        </Button>
      </Flex>
    );
  }
  const runs = formatPlural(user.holdings.runs, "run");
  const assets = formatPlural(user.holdings.assets, "asset");
  return (
    <Box px="4" py="3" borderTopWidth="1px" borderColor="border">
      <Text mb="3">
        API keys, sessions, preferences and notifications go. A team that has nobody left goes too. The audit trail stays.{" "}
        {transferTo === ""
          ? `${runs} with logs and artifacts, and ${assets}, are deleted.`
          : `${runs} and ${assets} go to the account below.`}{" "}
        This cannot be undone.
      </Text>
      <TextField
        label="Give the runs and assets to"
        placeholder="id of an account; empty: delete them"
        value={transferTo}
        onChange={(event) => setTransferTo(event.currentTarget.value.trim())}
      />
      <Flex gap="2" mt="3" justify="flex-end">
        <Button size="sm" variant="outline" onClick={() => setOpen(false)}>
          Keep it
        </Button>
        <Button
          size="sm"
          colorPalette="red"
          loading={remove.isPending}
          onClick={() => remove.mutate({ id: user.id, transferTo }, { onSuccess: onDeleted })}
        >
          Delete {user.name}
        </Button>
      </Flex>
      {remove.error ? (
        <Box mt="3">
          <ErrorPanel error={remove.error} />
        </Box>
      ) : null}
    </Box>
  );
}
