import { Button, Flex, Text } from "@chakra-ui/react";
import type { Team } from "@syla/sdk";
import { useNavigate } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useDeleteTeam, useTeamGrants } from "./queries.ts";

/** Says what goes with a team before it is deleted. */
export function DeleteTeamDialog({ team, onClose }: { readonly team: Team; readonly onClose: () => void }) {
  const grants = useTeamGrants(team.id);
  const remove = useDeleteTeam();
  const navigate = useNavigate();
  return (
    <Modal label={`Delete “${team.name}”?`} onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        {grants.data ? (
          <Text>
            {formatPlural(team.memberCount, "member")} lose what was shared with the team: {formatPlural(grants.data.runs, "run")} and{" "}
            {grants.data.sandboxes} {grants.data.sandboxes === 1 ? "sandbox" : "sandboxes"}. This cannot be undone.
          </Text>
        ) : (
          <SkeletonRows rows={1} />
        )}
        {(remove.error ?? grants.error) ? <ErrorPanel error={remove.error ?? grants.error} /> : null}
        <Flex justify="flex-end" gap="2">
          <Button size="sm" variant="outline" onClick={onClose}>
            Keep it
          </Button>
          <Button
            size="sm"
            colorPalette="red"
            loading={remove.isPending}
            disabled={!grants.data}
            onClick={() => remove.mutate(team.id, { onSuccess: () => void navigate("/teams") })}
          >
            Delete team
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
