import { Button, Field, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import { useRuntimes } from "../runs/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { assetPath } from "./asset-looks.tsx";
import { useCreateAsset } from "./queries.ts";

/** Makes a program that begins with the example of its language. */
export function NewProgramDialog({ onClose }: { readonly onClose: () => void }) {
  const runtimes = useRuntimes();
  const teams = useTeams();
  const create = useCreateAsset();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [description, setDescription] = useState("");
  const [language, setLanguage] = useState("python");
  const [ownerId, setOwnerId] = useState("");
  const runtime = runtimes.data?.find((known) => known.name === language);
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (runtime === undefined) return;
    create.mutate(
      {
        type: "program",
        name,
        description,
        ...(ownerId === "" ? {} : { ownerId }),
        files: [{ path: runtime.defaultEntrypoint, content: runtime.example }],
        config: { runtime: runtime.name, entrypoint: runtime.defaultEntrypoint },
      },
      { onSuccess: (made) => void navigate(`${assetPath(made)}?tab=files`) },
    );
  };
  const nameProblem = fieldProblem(create.error, "name");
  return (
    <Modal label="New program" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField
          label="Name"
          required
          autoFocus
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={nameProblem}
        />
        <TextField
          label="Description"
          maxLength={1000}
          value={description}
          onChange={(event) => setDescription(event.currentTarget.value)}
        />
        <Field.Root gap="1">
          <Field.Label fontSize="sm">Language</Field.Label>
          <SelectField label="Language" value={language} onChoose={setLanguage} width="full">
            {runtimes.data?.map((known) => (
              <option key={known.name} value={known.name}>
                {known.title}
              </option>
            ))}
          </SelectField>
        </Field.Root>
        {teams.data !== undefined && teams.data.length > 0 ? (
          <Field.Root gap="1">
            <Field.Label fontSize="sm">Owner</Field.Label>
            <SelectField label="Owner" value={ownerId} onChoose={setOwnerId} width="full">
              <option value="">you</option>
              {teams.data.map((team) => (
                <option key={team.id} value={team.id}>
                  {team.name}
                </option>
              ))}
            </SelectField>
          </Field.Root>
        ) : null}
        {create.error && nameProblem === null ? <ErrorPanel error={create.error} /> : null}
        <Button
          alignSelf="flex-end"
          type="submit"
          size="sm"
          colorPalette="accent"
          loading={create.isPending}
          disabled={runtime === undefined}
        >
          Create
        </Button>
      </Flex>
    </Modal>
  );
}
