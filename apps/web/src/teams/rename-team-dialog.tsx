import { Button, Field, Flex } from "@chakra-ui/react";
import type { Team } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { LeastTierField } from "../runs/least-tier-field.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { useUpdateTeam } from "./queries.ts";

/** Changes what a team is called, and what it is for; administrators also say what it may run. */
export function RenameTeamDialog({ team, onClose }: { readonly team: Team; readonly onClose: () => void }) {
  const update = useUpdateTeam(team.id);
  const [name, setName] = useState(team.name);
  const [description, setDescription] = useState(team.description);
  const isAdmin = useMe().data?.role === "admin";
  const [leastTier, setLeastTier] = useState(team.leastTier);
  const [limit, setLimit] = useState(team.concurrentRuns === null ? "" : String(team.concurrentRuns));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const concurrentRuns = limit.trim() === "" ? null : Number(limit);
    update.mutate({ name, description, leastTier, ...(isAdmin && { concurrentRuns }) }, { onSuccess: onClose });
  };
  return (
    <Modal label="Change this team" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField
          label="Name"
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(update.error, "name")}
        />
        <TextField
          label="What it is for"
          maxLength={1000}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
          problem={fieldProblem(update.error, "description")}
        />
        <Field.Root gap="1">
          <Field.Label fontSize="sm">Isolation of what its members run</Field.Label>
          <LeastTierField value={leastTier} onChoose={setLeastTier} />
        </Field.Root>
        {isAdmin ? (
          <TextField
            label="Runs at once, all members together"
            inputMode="numeric"
            pattern="[0-9]*"
            placeholder="no limit of the team's own"
            value={limit}
            onChange={(event) => setLimit(event.currentTarget.value)}
            problem={fieldProblem(update.error, "concurrentRuns")}
          />
        ) : null}
        {update.error ? <ErrorPanel error={update.error} /> : null}
        <Flex justify="flex-end">
          <Button type="submit" size="sm" colorPalette="accent" loading={update.isPending}>
            Save
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
