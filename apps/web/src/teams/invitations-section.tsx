import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Team } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { ShownOnce } from "../ui/shown-once.tsx";
import { TimeAgo } from "../ui/time-ago.tsx";
import { useInvitations, useInvite, useRevokeInvitation } from "./queries.ts";

/** Invitations that are open, and one more. */
export function InvitationsSection({ team }: { readonly team: Team }) {
  const invitations = useInvitations(team.id, true);
  const revoke = useRevokeInvitation(team.id);
  const error = invitations.error ?? revoke.error;
  return (
    <Section heading="Invitations">
      <InviteForm team={team} />
      {error ? (
        <Box p="4">
          <ErrorPanel error={error} onRetry={() => void invitations.refetch()} />
        </Box>
      ) : null}
      {invitations.data?.map((invitation) => (
        <Flex key={invitation.id} align="center" gap="2" px="4" py="2" wrap="wrap" borderTopWidth="1px" borderColor="border.muted">
          <Box minW="0" flex="1 1 160px">
            <Text truncate>{invitation.email}</Text>
            <Text as="div" fontSize="xs" color="fg.muted">
              as {invitation.role} · ends <TimeAgo time={invitation.expiresAt} />
            </Text>
          </Box>
          <Button
            size="xs"
            variant="outline"
            aria-label={`Take back the invitation of ${invitation.email}`}
            loading={revoke.isPending && revoke.variables === invitation.id}
            onClick={() => revoke.mutate(invitation.id)}
          >
            Take back
          </Button>
        </Flex>
      ))}
    </Section>
  );
}

function InviteForm({ team }: { readonly team: Team }) {
  const invite = useInvite(team.id);
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<"owner" | "member">("member");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    invite.mutate({ email, role }, { onSuccess: () => setEmail("") });
  };
  return (
    <>
      <Flex as="form" onSubmit={onSubmit} gap="2" p="4" align="flex-end" wrap="wrap">
        <Box flex="1 1 200px">
          <TextField
            label="E-mail address"
            type="email"
            required
            value={email}
            onChange={(event) => setEmail(event.currentTarget.value)}
            problem={fieldProblem(invite.error, "email")}
          />
        </Box>
        <SelectField label="Role" value={role} onChoose={(value) => setRole(value === "owner" ? "owner" : "member")}>
          <option value="member">as a member</option>
          <option value="owner">as an owner</option>
        </SelectField>
        <Button type="submit" size="sm" colorPalette="accent" loading={invite.isPending}>
          Invite
        </Button>
      </Flex>
      {invite.error ? (
        <Box px="4" pb="4">
          <ErrorPanel error={invite.error} />
        </Box>
      ) : null}
      {invite.data ? (
        <ShownOnce text={invite.data.url}>
          {invite.data.invitation.email} gets this link by e-mail. You can also send it yourself; it is not shown again.
        </ShownOnce>
      ) : null}
    </>
  );
}
