import { Button, Flex, Text } from "@chakra-ui/react";
import type { Credential } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SaveProblem } from "../ui/save-problem.tsx";
import { useUpdateCredential } from "./queries.ts";

interface ChangeDialogProps {
  readonly credential: Credential;
  readonly onClose: () => void;
}

/** Changes what is known of a credential; its secret stays. */
export function ChangeDialog({ credential: given, onClose }: ChangeDialogProps) {
  const [credential] = useState(given);
  const update = useUpdateCredential(credential);
  const [name, setName] = useState(credential.name);
  const [ends, setEnds] = useState(dayOf(credential.expiresAt));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const change = {
      ...(name === credential.name ? {} : { name }),
      ...(ends === dayOf(credential.expiresAt) ? {} : { expiresAt: ends === "" ? null : endOf(ends) }),
    };
    if (Object.keys(change).length === 0) return onClose();
    update.mutate(change, { onSuccess: onClose });
  };
  return (
    <Modal label={`Change “${credential.name}”`} onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <Text color="fg.muted">The secret stays as it is.</Text>
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(update.error, "name")}
        />
        <TextField
          label="Last day"
          type="date"
          help="It ends with this day; empty: it has no end."
          value={ends}
          onChange={(event) => setEnds(event.currentTarget.value)}
          problem={fieldProblem(update.error, "expiresAt")}
        />
        {update.error ? <SaveProblem error={update.error} loaded={credential} /> : null}
        <Flex gap="2" justify="flex-end">
          <Button size="sm" variant="outline" onClick={onClose}>
            Leave it
          </Button>
          <Button size="sm" type="submit" colorPalette="accent" loading={update.isPending}>
            Save
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

/** The day of the viewer in which a time is, as a date field has it. */
function dayOf(time: string | null): string {
  if (time === null) return "";
  const at = new Date(time);
  return [at.getFullYear(), at.getMonth() + 1, at.getDate()].map((part) => String(part).padStart(2, "0")).join("-");
}

function endOf(day: string): string {
  return new Date(`${day}T23:59:59`).toISOString();
}
