import { Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { Budget } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useMe } from "../accounts/queries.ts";
import { useRunnablePrograms } from "../schedules/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { CheckBox } from "../ui/check-box.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useDeleteBudget, useSaveBudget } from "./queries.ts";

interface BudgetDialogProps {
  /** Null: a new one. */
  readonly budget: Budget | null;
  /** Whose budgets are listed: `me`, a team's id, or `all`. */
  readonly listed: string;
  readonly onClose: () => void;
}

/** How much, of whom, for what, and whether it stops. */
export function BudgetDialog({ budget, listed, onClose }: BudgetDialogProps) {
  const save = useSaveBudget(budget?.id ?? null);
  const remove = useDeleteBudget();
  const [amount, setAmount] = useState(budget === null ? "" : String(budget.amount));
  const [stops, setStops] = useState(budget?.stops ?? false);
  const [ownerId, setOwnerId] = useState(listed.startsWith("team_") ? listed : listed === "all" ? "system" : "me");
  const [programId, setProgramId] = useState("");
  const [tried, setTried] = useState(false);
  const isAmount = /^\d{1,9}(\.\d{1,2})?$/.test(amount.trim()) && Number(amount) > 0;
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (!isAmount) return;
    const whose = { ...(ownerId === "me" ? {} : { ownerId }), programId: programId === "" ? null : programId };
    save.mutate({ ...whose, amount: Number(amount), stops }, { onSuccess: onClose });
  };
  const error = save.error ?? remove.error;
  return (
    <Modal label={budget === null ? "Set a budget" : "Change this budget"} onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        {budget === null ? <Whose ownerId={ownerId} onOwner={setOwnerId} programId={programId} onProgram={setProgramId} /> : null}
        <TextField
          label="Dollars a month"
          inputMode="decimal"
          required
          value={amount}
          problem={tried && !isAmount ? "an amount like 50 or 0.50" : fieldProblem(save.error, "amount")}
          help="Whoever it is of is told at 80 %, and when it is used up."
          onChange={(event) => setAmount(event.currentTarget.value)}
        />
        <chakra.label display="flex" alignItems="center" gap="1.5">
          <CheckBox checked={stops} onChange={(event) => setStops(event.currentTarget.checked)} />
          Refuse calls that could pass it
        </chakra.label>
        {error ? <ErrorPanel error={error} /> : null}
        <Flex justify="space-between" gap="2">
          {budget === null ? (
            <span />
          ) : (
            <Button
              size="sm"
              variant="ghost"
              color="fg.error"
              loading={remove.isPending}
              onClick={() => remove.mutate(budget.id, { onSuccess: onClose })}
            >
              Take it away
            </Button>
          )}
          <Button type="submit" size="sm" colorPalette="accent" loading={save.isPending} loadingText="Saving">
            Save
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

interface WhoseProps {
  readonly ownerId: string;
  readonly onOwner: (id: string) => void;
  readonly programId: string;
  readonly onProgram: (id: string) => void;
}

function Whose({ ownerId, onOwner, programId, onProgram }: WhoseProps) {
  const isAdmin = useMe().data?.role === "admin";
  const teams = useTeams().data?.filter(({ yourRole }) => yourRole === "owner" || isAdmin) ?? [];
  const programs = useRunnablePrograms().data ?? [];
  return (
    <>
      <Flex direction="column" gap="1">
        <Text fontSize="sm" fontWeight="medium">
          Whose calls of models
        </Text>
        <SelectField label="Whose calls of models" width="full" value={ownerId} onChoose={onOwner}>
          <option value="me">mine</option>
          {teams.map((team) => (
            <option key={team.id} value={team.id}>
              for the team {team.name}
            </option>
          ))}
          {isAdmin ? <option value="system">everybody’s</option> : null}
        </SelectField>
      </Flex>
      <Flex direction="column" gap="1">
        <Text fontSize="sm" fontWeight="medium">
          By which program
        </Text>
        <SelectField label="By which program" width="full" value={programId} onChoose={onProgram}>
          <option value="">any, and without one</option>
          {programs.map((program) => (
            <option key={program.id} value={program.id}>
              {program.name} · {program.owner.name}
            </option>
          ))}
        </SelectField>
      </Flex>
    </>
  );
}
