import { Button, Flex, Text } from "@chakra-ui/react";
import type { Team } from "@syla/sdk";
import { useState } from "react";
import { useNavigate } from "react-router";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useDeleteTeam, useTeamGrants, useTeams } from "./queries.ts";

/** Says what goes with a team before it is deleted. */
export function DeleteTeamDialog({ team, onClose }: { readonly team: Team; readonly onClose: () => void }) {
  const grants = useTeamGrants(team.id);
  const remove = useDeleteTeam();
  const navigate = useNavigate();
  const teams = useTeams();
  const [heir, setHeir] = useState("me");
  const owned = grants.data?.ownedAssets ?? 0;
  return (
    <Modal label={`Delete “${team.name}”?`} onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        {grants.data ? (
          <Text>
            {formatPlural(team.memberCount, "member")} lose what was shared with the team: {formatPlural(grants.data.runs, "run")} and{" "}
            {grants.data.sandboxes} {grants.data.sandboxes === 1 ? "sandbox" : "sandboxes"}, {formatPlural(grants.data.assets, "asset")}.
            This cannot be undone.
          </Text>
        ) : (
          <SkeletonRows rows={1} />
        )}
        {owned > 0 ? (
          <Flex align="center" gap="2" wrap="wrap">
            <Text>The {formatPlural(owned, "asset")} that it owns go to</Text>
            <SelectField label="Who gets its assets" size="xs" value={heir} onChoose={setHeir}>
              <option value="me">me</option>
              {teams.data
                ?.filter((other) => other.id !== team.id)
                .map((other) => (
                  <option key={other.id} value={other.id}>
                    {other.name}
                  </option>
                ))}
            </SelectField>
          </Flex>
        ) : null}
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
            onClick={() =>
              remove.mutate({ id: team.id, ...(owned > 0 ? { transferTo: heir } : {}) }, { onSuccess: () => void navigate("/teams") })
            }
          >
            Delete team
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
