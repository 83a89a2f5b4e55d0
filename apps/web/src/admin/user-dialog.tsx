import { Box, Button, Flex, NativeSelect, Text } from "@chakra-ui/react";
import type { Role, UserHoldings, UserRecord } from "@syla/sdk";
import { useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { DeleteUser } from "./delete-user.tsx";
import {
  useExportUser,
  useImpersonate,
  useReactivate,
  useResetTwoFactor,
  useSetRole,
  useSignOutUser,
  useSuspend,
  useUser,
} from "./queries.ts";
import { roleNames, roles } from "./roles.ts";
import { UserKeys } from "./user-keys.tsx";

interface UserDialogProps {
  readonly id: string;
  readonly onClose: () => void;
}

/** One account, and what an administrator can do with it. */
export function UserDialog({ id, onClose }: UserDialogProps) {
  const user = useUser(id);
  return (
    <Modal label={user.data?.name ?? "Account"} width="34rem" onClose={onClose}>
      {user.isError ? <ErrorPanel error={user.error} onRetry={() => void user.refetch()} /> : null}
      {user.isPending ? <SkeletonRows rows={5} /> : null}
      {user.data ? (
        <>
          <Facts user={user.data} />
          <RoleChoice user={user.data} />
          <UserKeys userId={user.data.id} />
          <Reasoned user={user.data} />
          <DeleteUser user={user.data} onDeleted={onClose} />
        </>
      ) : null}
    </Modal>
  );
}

function Facts({ user }: { readonly user: UserRecord & { holdings: UserHoldings } }) {
  const { runs, sandboxes, apiKeys, sessions, teams, grants } = user.holdings;
  return (
    <DefinitionList
      items={[
        ["Id", <Copyable key="id" text={user.id} />],
        ["E-mail address", user.email ?? "none"],
        ["Status", user.status === "active" ? "active" : `suspended: ${user.suspendedReason ?? ""}`],
        ["Second factor", user.twoFactorEnabled ? "on" : "off"],
        ["Member since", <TimeAgo key="since" time={user.createdAt} />],
        ["Last seen", user.lastSeenAt ? <TimeAgo key="seen" time={user.lastSeenAt} /> : "not recorded"],
        ["Has", `${runs} runs, ${sandboxes} live sandboxes, ${apiKeys} API keys, ${sessions} sessions, ${teams} teams, ${grants} grants`],
      ]}
    />
  );
}

function RoleChoice({ user }: { readonly user: UserRecord }) {
  const setRole = useSetRole();
  const signOut = useSignOutUser();
  return (
    <Box px="4" py="3" borderTopWidth="1px" borderColor="border">
      <Flex gap="3" align="center" wrap="wrap">
        <NativeSelect.Root size="sm" w="44" disabled={setRole.isPending}>
          <NativeSelect.Field
            aria-label="Role"
            value={user.role}
            onChange={(event) => setRole.mutate({ id: user.id, role: event.currentTarget.value as Role })}
          >
            {roles.map((role) => (
              <option key={role} value={role}>
                {roleNames[role]}
              </option>
            ))}
          </NativeSelect.Field>
          <NativeSelect.Indicator />
        </NativeSelect.Root>
        <Button size="sm" variant="outline" loading={signOut.isPending} onClick={() => signOut.mutate(user.id)}>
          Sign out everywhere
        </Button>
      </Flex>
      {(setRole.error ?? signOut.error) ? <ErrorPanel error={setRole.error ?? signOut.error} /> : null}
    </Box>
  );
}

/** What needs a reason that is kept. */
function Reasoned({ user }: { readonly user: UserRecord }) {
  const [reason, setReason] = useState("");
  const suspend = useSuspend();
  const reactivate = useReactivate();
  const impersonate = useImpersonate();
  const resetTwoFactor = useResetTwoFactor();
  const exported = useExportUser();
  const me = useMe();
  const given = reason.trim();
  const problem = suspend.error ?? reactivate.error ?? impersonate.error ?? resetTwoFactor.error ?? exported.error;
  if (user.status === "suspended") {
    return (
      <Flex px="4" py="3" borderTopWidth="1px" borderColor="border" gap="3" align="center" wrap="wrap">
        <Text flex="1">Every request of this account is refused.</Text>
        <Button size="sm" loading={reactivate.isPending} onClick={() => reactivate.mutate(user.id)}>
          Reactivate
        </Button>
        {problem ? <ErrorPanel error={problem} /> : null}
      </Flex>
    );
  }
  return (
    <Box px="4" py="3" borderTopWidth="1px" borderColor="border">
      <TextField
        label="Reason"
        help="Kept in the audit trail."
        maxLength={500}
        value={reason}
        onChange={(event) => setReason(event.currentTarget.value)}
      />
      <Flex gap="2" mt="3" wrap="wrap">
        <Button
          size="sm"
          variant="outline"
          colorPalette="red"
          disabled={given === ""}
          loading={suspend.isPending}
          onClick={() => suspend.mutate({ id: user.id, reason: given })}
        >
          Suspend
        </Button>
        {user.twoFactorEnabled ? (
          <Button
            size="sm"
            variant="outline"
            disabled={given === ""}
            loading={resetTwoFactor.isPending}
            onClick={() => resetTwoFactor.mutate({ id: user.id, reason: given })}
          >
            Reset second factor
          </Button>
        ) : null}
        <Button
          size="sm"
          variant="outline"
          disabled={given === ""}
          loading={exported.isPending}
          onClick={() => exported.mutate({ id: user.id, reason: given })}
        >
          Export their data
        </Button>
        {user.role === "admin" || user.id === me.data?.id ? null : (
          <Button
            size="sm"
            variant="outline"
            disabled={given === ""}
            loading={impersonate.isPending}
            onClick={() => impersonate.mutate({ id: user.id, reason: given })}
          >
            Act as {user.name}
          </Button>
        )}
      </Flex>
      {problem ? (
        <Box mt="3">
          <ErrorPanel error={problem} />
        </Box>
      ) : null}
    </Box>
  );
}
