import { Box, Button, Field, Flex, Text } from "@chakra-ui/react";
import type { CompositionDraft, CreatedComposition } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { Link, useNavigate } from "react-router";
import { assetPath } from "../catalog/asset-looks.tsx";
import { useTeams } from "../teams/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { DocumentField } from "./document-field.tsx";
import type { ReadDocument } from "./read-document.ts";
import { useCompositionTemplates, useCreateComposition } from "./queries.ts";

type From = "empty" | "template" | "file";

/** Makes a composition: empty, from a template, or from a file that was exported. */
export function NewCompositionDialog({ onClose }: { readonly onClose: () => void }) {
  const templates = useCompositionTemplates();
  const teams = useTeams();
  const create = useCreateComposition();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [from, setFrom] = useState<From>("empty");
  const [template, setTemplate] = useState("");
  const [read, setRead] = useState<ReadDocument | null>(null);
  const [ownerId, setOwnerId] = useState("");
  const [made, setMade] = useState<CreatedComposition | null>(null);
  if (made !== null) return <Missing made={made} onClose={onClose} />;
  const chosen = templates.data?.find(({ id }) => id === template) ?? templates.data?.[0];
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const begins = beginning(from, chosen?.id, read);
    const draft = { ...begins, ...(name === "" ? {} : { name }), ...(ownerId === "" ? {} : { ownerId }) };
    create.mutate(draft, {
      onSuccess: (created) => (created.missing.length > 0 ? setMade(created) : void navigate(assetPath(created.asset))),
    });
  };
  const nameProblem = fieldProblem(create.error, "name");
  return (
    <Modal label="New composition" width="34rem" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField
          label="Name"
          required={from === "empty"}
          {...(from === "empty"
            ? {}
            : { placeholder: from === "file" && read !== null && read.name !== "" ? read.name : "as it says itself" })}
          autoFocus
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={nameProblem}
        />
        <Field.Root gap="1">
          <Field.Label fontSize="sm">Begins with</Field.Label>
          <SelectField label="Begins with" value={from} onChoose={(value) => setFrom(value as From)} width="full">
            <option value="empty">an empty canvas</option>
            <option value="template">a template</option>
            <option value="file">a file that was exported</option>
          </SelectField>
        </Field.Root>
        {from === "template" && templates.data !== undefined ? (
          <Box>
            <SelectField label="Template" value={chosen?.id ?? ""} onChoose={setTemplate} width="full">
              {templates.data.map(({ id, title }) => (
                <option key={id} value={id}>
                  {title}
                </option>
              ))}
            </SelectField>
            <Text mt="1.5" fontSize="xs" color="fg.muted">
              {chosen?.description} {chosen?.needsModel === true ? "It needs a model." : null}
            </Text>
          </Box>
        ) : null}
        {from === "template" && templates.isError ? <ErrorPanel error={templates.error} onRetry={() => void templates.refetch()} /> : null}
        {from === "file" ? <DocumentField read={read} onRead={setRead} /> : null}
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
          disabled={from === "file" && read?.graph === undefined}
        >
          Create
        </Button>
      </Flex>
    </Modal>
  );
}

function beginning(from: From, template: string | undefined, read: ReadDocument | null): CompositionDraft {
  if (from === "template") return template === undefined ? {} : { template };
  return from === "empty" || read === null ? {} : { document: read.document };
}

/** What the file names that is not here: it was made without. */
function Missing({ made: { asset, missing }, onClose }: { readonly made: CreatedComposition; readonly onClose: () => void }) {
  return (
    <Modal label="Some of it is not here" onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>“{asset.name}” was made. These nodes used something that is not here, or not yours; choose something else for them.</Text>
        <Box as="ul" pl="5" listStyleType="disc" fontSize="sm" maxH="50vh" overflowY="auto">
          {missing.map(({ path, node, reference, name }) => (
            <li key={[...path, node].join("/")}>
              {reference.kind} {name ?? reference.id}
              {reference.version === null ? null : ` ${reference.version}`}
            </li>
          ))}
        </Box>
        <Button alignSelf="flex-end" size="sm" colorPalette="accent" asChild>
          <Link to={assetPath(asset)}>Open it</Link>
        </Button>
      </Flex>
    </Modal>
  );
}
