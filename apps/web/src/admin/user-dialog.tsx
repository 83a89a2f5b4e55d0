import { Box, Heading, Text } from "@chakra-ui/react";
import type { UserHoldings, UserRecord } from "@syla/sdk";
import { type ReactNode, useState } from "react";
import { PersonQuotas } from "../usage/quota-editor.tsx";
import { Copyable } from "../ui/copyable.tsx";
import { DefinitionList } from "../ui/definition-list.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { Toast } from "../ui/toast.tsx";
import { DeleteUser } from "./delete-user.tsx";
import { useUser } from "./queries.ts";
import { roleNames } from "./roles.ts";
import { UserActions } from "./user-actions.tsx";
import { UserKeys } from "./user-keys.tsx";
import { UserRole } from "./user-role.tsx";

interface UserDialogProps {
  readonly id: string;
  readonly onClose: () => void;
  /** The account is gone. `text` says so. */
  readonly onDeleted: (text: string) => void;
}

/** One account, and what an administrator can do with it. */
export function UserDialog({ id, onClose, onDeleted }: UserDialogProps) {
  const user = useUser(id);
  const [said, setSaid] = useState<string | null>(null);
  return (
    <Modal label={user.data?.name ?? "Account"} width="38rem" onClose={onClose}>
      {user.isError ? <ErrorPanel error={user.error} onRetry={() => void user.refetch()} /> : null}
      {user.isPending ? <SkeletonRows rows={5} /> : null}
      {user.data ? (
        <>
          <Facts user={user.data} />
          <Part heading="Role and access">
            <UserRole user={user.data} onDone={setSaid} />
            <UserActions user={user.data} onDone={setSaid} />
          </Part>
          <Part heading="Quotas">
            <PersonQuotas userId={user.data.id} onSaved={() => setSaid("The quotas hold from now on.")} />
          </Part>
          <UserKeys userId={user.data.id} />
          <DeleteUser user={user.data} onDeleted={() => onDeleted(`The account of ${user.data.name} is deleted.`)} />
          {said === null ? null : <Toast text={said} onGone={() => setSaid(null)} />}
        </>
      ) : null}
    </Modal>
  );
}

function Part({ heading, children }: { readonly heading: string; readonly children: ReactNode }) {
  return (
    <Box as="section" borderTopWidth="1px" borderColor="border">
      <Heading as="h3" fontSize="sm" fontWeight="semibold" px="4" pt="3" pb="1">
        {heading}
      </Heading>
      {children}
    </Box>
  );
}

function Facts({ user }: { readonly user: UserRecord & { holdings: UserHoldings } }) {
  const { runs, sandboxes, apiKeys, sessions, teams, grants, assets } = user.holdings;
  const holdings = [
    formatPlural(runs, "run"),
    formatPlural(assets, "asset"),
    `${sandboxes} live ${sandboxes === 1 ? "sandbox" : "sandboxes"}`,
    formatPlural(apiKeys, "API key"),
    formatPlural(sessions, "session"),
    formatPlural(teams, "team"),
    formatPlural(grants, "grant"),
  ];
  return (
    <DefinitionList
      items={[
        ["Id", <Copyable key="id" text={user.id} />],
        ["E-mail address", user.email ?? "none"],
        ["Role", roleNames[user.role]],
        [
          "Status",
          user.status === "active" ? (
            "active"
          ) : (
            <Text key="status" as="span" color="fg.error">
              suspended: {user.suspendedReason ?? "no reason is kept"}
            </Text>
          ),
        ],
        ["Second factor", user.twoFactorEnabled ? "on" : "off"],
        ["Member since", <TimeAgo key="since" time={user.createdAt} />],
        ["Last seen", user.lastSeenAt ? <TimeAgo key="seen" time={user.lastSeenAt} /> : "not recorded"],
        ["Has", holdings.join(", ")],
      ]}
    />
  );
}
