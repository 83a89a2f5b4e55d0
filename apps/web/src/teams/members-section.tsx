import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Team, TeamMember } from "@syla/sdk";
import { useMe } from "../accounts/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useMembers, useRemoveMember, useSetRole } from "./queries.ts";

/** Who is in a team. Owners change roles and remove members; handing a team over is making somebody else an owner. */
export function MembersSection({ team, manages }: { readonly team: Team; readonly manages: boolean }) {
  const members = useMembers(team.id);
  const setRole = useSetRole(team.id);
  const remove = useRemoveMember(team.id);
  const me = useMe().data?.id;
  const error = members.error ?? setRole.error ?? remove.error;
  return (
    <Section heading="Members">
      {members.isPending ? <SkeletonRows rows={2} /> : null}
      {error ? (
        <Box p="4">
          <ErrorPanel error={error} onRetry={() => void members.refetch()} />
        </Box>
      ) : null}
      {members.data?.map((member) => (
        <Flex
          key={member.userId}
          align="center"
          gap="2"
          px="4"
          py="2"
          wrap="wrap"
          borderBottomWidth="1px"
          borderColor="border.muted"
          _last={{ borderBottomWidth: "0" }}
        >
          <MemberName member={member} isMe={member.userId === me} />
          {manages ? (
            <>
              <SelectField
                label={`Role of ${member.name}`}
                value={member.role}
                size="xs"
                width="28"
                onChoose={(role) => setRole.mutate({ userId: member.userId, role: role === "owner" ? "owner" : "member" })}
              >
                <option value="owner">owner</option>
                <option value="member">member</option>
              </SelectField>
              {member.userId === me ? null : (
                <Button
                  size="xs"
                  variant="outline"
                  aria-label={`Remove ${member.name}`}
                  loading={remove.isPending && remove.variables === member.userId}
                  onClick={() => remove.mutate(member.userId)}
                >
                  Remove
                </Button>
              )}
            </>
          ) : (
            <Text fontSize="xs" color="fg.muted">
              {member.role}
            </Text>
          )}
        </Flex>
      ))}
    </Section>
  );
}

function MemberName({ member, isMe }: { readonly member: TeamMember; readonly isMe: boolean }) {
  return (
    <Box minW="0" flex="1 1 160px">
      <Text truncate fontWeight="medium">
        {member.name}
        {isMe ? " (you)" : ""}
      </Text>
      <Text fontSize="xs" color="fg.muted" truncate>
        {member.email}
      </Text>
    </Box>
  );
}
