import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Invitation } from "@syla/sdk";
import { MailPlus } from "lucide-react";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { PageHeader, ScrollPage, Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { TimeAgo } from "../../ui/time-ago.tsx";
import { StateLabel } from "../state-label.tsx";
import { InviteForm } from "./invite-form.tsx";
import { useInvitations, useRevokeInvitation } from "./queries.ts";

/** Who was invited to make an account, for administrators. */
export default function InvitationsPage() {
  const list = useInvitations();
  const revoke = useRevokeInvitation();
  const items = list.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <ScrollPage>
      <PageHeader title="Invitations" />
      <Box maxW="720px">
        <InviteForm />
        <Section heading="Invited">
          {list.isPending ? <SkeletonRows rows={2} /> : null}
          {list.isError ? <ErrorPanel error={list.error} onRetry={() => void list.refetch()} /> : null}
          {revoke.isError ? <ErrorPanel error={revoke.error} /> : null}
          {list.isSuccess && items.length === 0 ? (
            <EmptyState icon={MailPlus} title="Nobody is invited">
              Invite somebody above. They choose their own name and password.
            </EmptyState>
          ) : null}
          {items.map((invitation) => (
            <InvitationRow key={invitation.id} invitation={invitation} onRevoke={() => revoke.mutate(invitation.id)} />
          ))}
          {list.hasNextPage ? (
            <Button m="3" size="xs" variant="outline" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>
              Show more
            </Button>
          ) : null}
        </Section>
      </Box>
    </ScrollPage>
  );
}

const roles = { admin: "administrator", developer: "developer", end_user: "end user" } as const;

function InvitationRow({ invitation, onRevoke }: { readonly invitation: Invitation; readonly onRevoke: () => void }) {
  const { email, role, status, createdAt, expiresAt } = invitation;
  return (
    <Flex align="center" gap="3" px="4" py="2.5" borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
      <Box minW="0" flex="1">
        <Text fontWeight="medium" truncate title={email}>
          {email}
        </Text>
        <Text as="div" fontSize="xs" color="fg.muted">
          as {roles[role]} · <TimeAgo time={createdAt} />
          {status === "open" ? (
            <>
              {" "}
              · ends <TimeAgo time={expiresAt} />
            </>
          ) : null}
        </Text>
      </Box>
      <StateLabel good={status === "accepted"}>{status}</StateLabel>
      {status === "open" ? (
        <Button size="xs" variant="outline" onClick={onRevoke} aria-label={`Take back the invitation of ${email}`}>
          Take back
        </Button>
      ) : null}
    </Flex>
  );
}
