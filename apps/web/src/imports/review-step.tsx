import { Box, Button, Field, Flex } from "@chakra-ui/react";
import type { AnalysisDocument, Import, ImportSuggestion } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { useNavigate } from "react-router";
import type { Part } from "../programs/analysis/findings.ts";
import type { Place } from "../programs/analysis/place.ts";
import { EntrypointChoice, type HowItRuns } from "../programs/dependencies/entrypoint-choice.tsx";
import { SourceChoice } from "../programs/dependencies/source-choice.tsx";
import type { Dependencies } from "../programs/dependencies/sources.ts";
import { FoundParts } from "../programs/files/findings-panel.tsx";
import { useModels } from "../models/queries.ts";
import { useTeams } from "../teams/queries.ts";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { Section } from "../ui/page.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { EntrypointNote } from "./entrypoint-note.tsx";
import { FolderChoice } from "./folder-choice.tsx";
import { ModelChoice } from "./model-choice.tsx";
import { useCancelImport, useConfirmImport, useImportAnalysis, useImportFiles } from "./queries.ts";
import { Changes } from "./review-changes.tsx";
import { Files, Problems, SecretFiles } from "./review-files.tsx";
import { VersionNote } from "./version-note.tsx";

/** What came in, to be confirmed or changed. */
export function ReviewStep({ found, suggestion }: { readonly found: Import; readonly suggestion: ImportSuggestion }) {
  const files = useImportFiles(found);
  const analysis = useImportAnalysis(found).data ?? null;
  const confirm = useConfirmImport(found.id);
  const cancel = useCancelImport(found.id);
  const navigate = useNavigate();
  const [name, setName] = useState(suggestion.name);
  const [ownerId, setOwnerId] = useState("");
  const [how, setHow] = useState<HowItRuns>({
    runtime: suggestion.runtime ?? "",
    runtimeVersion: suggestion.runtimeVersion,
    entrypoint: suggestion.entrypoint ?? "",
  });
  const [dependencies, setDependencies] = useState<Dependencies>(suggestion.dependencies);
  const [pickedModel, setPickedModel] = useState<string | null>(null);
  const modelId = useProposedModel(pickedModel, suggestion.needsModel && found.assetId === null);
  const [leaveOut, setLeaveOut] = useState<ReadonlySet<string>>(new Set(suggestion.leaveOut));
  const isNew = found.assetId === null;
  const onLeaveOut = (paths: readonly string[], on: boolean) =>
    setLeaveOut((before) => new Set(on ? [...before, ...paths] : [...before].filter((other) => !paths.includes(other))));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const { runtime, runtimeVersion, entrypoint } = how;
    const packages = dependencies.packages.filter((one) => one.name !== "");
    confirm.mutate(
      {
        entrypoint,
        leaveOut: [...leaveOut],
        ...(isNew || dependencies !== suggestion.dependencies ? { dependencies: { ...dependencies, packages } } : {}),
        ...(isNew ? { name } : {}),
        ...(isNew && ownerId !== "" ? { ownerId } : {}),
        ...(modelId === null ? {} : { modelId: modelId || null }),
        ...(runtime === "" ? {} : { runtime, runtimeVersion }),
      },
      { onSuccess: (made) => void navigate(`/programs/${made.id}`) },
    );
  };
  const filesProps = { found, files: files.data ?? [], leaveOut, onLeaveOut };
  return (
    <Flex as="form" onSubmit={onSubmit} direction="column">
      <FolderChoice found={found} />
      <Flex direction="column" gap="3" mb="6" maxW="640px">
        {isNew ? (
          <TextField
            label="Name"
            required
            maxLength={100}
            value={name}
            problem={fieldProblem(confirm.error, "name")}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        ) : null}
        {isNew ? <OwnerChoice value={ownerId} onChoose={setOwnerId} /> : null}
        <EntrypointChoice
          value={how}
          onChange={setHow}
          options={suggestion.entrypoints}
          problem={fieldProblem(confirm.error, "entrypoint")}
          mayGuess
        />
        <EntrypointNote
          {...{ found, suggestion, leaveOut }}
          entrypoint={how.entrypoint}
          onTake={(path) => {
            onLeaveOut([path], false);
            setHow({ ...how, entrypoint: path });
          }}
        />
        {how.runtime === suggestion.runtime ? <VersionNote wishes={suggestion.versionWishes} chosen={how.runtimeVersion} /> : null}
      </Flex>
      {modelId === null ? null : <ModelChoice value={modelId} onChange={setPickedModel} />}
      <SecretFiles {...filesProps} />
      <Changes found={found} />
      <Section heading="Dependencies" note="what is installed before it runs">
        <SourceChoice analysis={analysis} language={how.runtime} value={dependencies} onChange={setDependencies} />
      </Section>
      {analysis === null ? null : <WhatItIs analysis={analysis} />}
      <Problems found={found} />
      <Files {...filesProps} />
      {confirm.error ? (
        <Box mb="3">
          <ErrorPanel error={confirm.error} />
        </Box>
      ) : null}
      <Flex gap="2" position="sticky" bottom="0" py="3" bg="bg" borderTopWidth="1px" borderColor="border">
        <Button type="submit" size="sm" colorPalette="accent" loading={confirm.isPending} disabled={how.entrypoint === ""}>
          {isNew ? "Create the program" : "Replace the files"}
        </Button>
        <Button size="sm" variant="ghost" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Give up
        </Button>
      </Flex>
    </Flex>
  );
}

/** The model that was picked, else the only one there is; empty for none. Null: the program needs none, or has one. */
function useProposedModel(picked: string | null, isNeeded: boolean): string | null {
  const usable = useModels().data?.filter((model) => model.usable) ?? [];
  if (!isNeeded) return null;
  return picked ?? (usable.length === 1 ? (usable[0]?.id ?? "") : "");
}

/** Slots, calls and the rest, as they will stand beside the code. */
function WhatItIs({ analysis }: { readonly analysis: AnalysisDocument }) {
  const [part, setPart] = useState<Part | null>(null);
  const [place, setPlace] = useState<Place | null>(null);
  return (
    <Section heading="What it is" note="read from the files; nothing of them was run">
      <Flex direction="column" maxH="420px">
        <FoundParts analysis={analysis} part={part} onPart={setPart} place={place} onPlace={setPlace} />
      </Flex>
    </Section>
  );
}

/** Whose program it is to be; nothing to choose for who is in no team. */
function OwnerChoice({ value, onChoose }: { readonly value: string; readonly onChoose: (ownerId: string) => void }) {
  const teams = useTeams();
  if (!teams.data || teams.data.length === 0) return null;
  return (
    <Field.Root gap="1">
      <Field.Label fontSize="sm">Owner</Field.Label>
      <SelectField label="Owner" value={value} onChoose={onChoose} width="full">
        <option value="">me</option>
        {teams.data.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </SelectField>
    </Field.Root>
  );
}
