import { Button, chakra, Field, Flex, Grid, Text } from "@chakra-ui/react";
import type { ProgramRunInputDraft, Run } from "@syla/sdk";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Play } from "lucide-react";
import { useState } from "react";
import { useNavigate } from "react-router";
import { syla } from "../app/api.ts";
import { useModels } from "../models/queries.ts";
import type { DraftFile } from "../runs/new/draft.ts";
import { FileList } from "../runs/new/file-list.tsx";
import { mergeFiles, type PickedFile, uploadFiles } from "../editor/upload-files.ts";
import { type ChosenDataset, DatasetPicker, toBindings } from "../datasets/dataset-picker.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { type Profile, useProfiles } from "./profiles.ts";
import { readVariables, splitWords } from "./run-words.ts";

interface RunProgramProps {
  readonly programId: string;
  readonly name: string;
  readonly entrypoint: string;
  readonly args: readonly string[];
  /** A published version; the working tree when left out. */
  readonly version?: string | undefined;
}

/** Runs a program: a button, and a form for what may be said besides. */
export function RunProgramButton(props: RunProgramProps) {
  const [isOpen, setIsOpen] = useState(false);
  return (
    <>
      <Button size="xs" colorPalette="accent" onClick={() => setIsOpen(true)}>
        <Play aria-hidden /> Run
      </Button>
      {isOpen ? <RunProgramDialog {...props} onClose={() => setIsOpen(false)} /> : null}
    </>
  );
}

function RunProgramDialog({ programId, name, entrypoint, args, version, onClose }: RunProgramProps & { readonly onClose: () => void }) {
  const [words, setWords] = useState(args.map(quote).join(" "));
  const [file, setFile] = useState("");
  const [variables, setVariables] = useState("");
  const [stdin, setStdin] = useState("");
  const [modelId, setModelId] = useState("");
  const profiles = useProfiles();
  const [profile, setProfile] = useState<Profile | "">("");
  const [files, setFiles] = useState<readonly DraftFile[]>([]);
  const upload = useMutation({
    mutationFn: (picked: readonly PickedFile[]) => uploadFiles(picked),
    onSuccess: (added) => setFiles((before) => mergeFiles(before, added)),
  });
  const [datasets, setDatasets] = useState<readonly ChosenDataset[]>([]);
  const [isTried, setIsTried] = useState(false);
  const run = useRunProgram();
  const usable = useModels().data?.filter((model) => model.usable) ?? [];
  const navigate = useNavigate();
  const typedArgs = splitWords(words);
  const env = readVariables(variables);
  const submit = () => {
    setIsTried(true);
    if (typedArgs === null || env.problem !== null) return;
    const input = {
      programId,
      args: typedArgs,
      env: env.values,
      datasets: toBindings(datasets),
      ...(version === undefined ? {} : { version }),
      ...(file.trim() === "" ? {} : { entrypoint: file.trim() }),
      ...(stdin === "" ? {} : { stdin }),
      ...(modelId === "" ? {} : { modelId }),
      ...(profile === "" ? {} : { profile }),
      ...(files.length === 0 ? {} : { files: files.map(({ path, sha256 }) => ({ path, blob: sha256 })) }),
    };
    run.mutate(input, { onSuccess: ({ id }) => void navigate(`/runs/${id}`) });
  };
  return (
    <Modal label={`Run ${name}`} width="34rem" onClose={onClose}>
      <chakra.form
        display="flex"
        flexDirection="column"
        gap="3"
        p="4"
        onSubmit={(event) => {
          event.preventDefault();
          submit();
        }}
      >
        <Text color="fg.muted">{version === undefined ? "The files as they are now." : `Version ${version}.`}</Text>
        <TextField
          label="Arguments"
          value={words}
          fontFamily="mono"
          help="As in a shell: quotes keep words together"
          problem={isTried && typedArgs === null ? "A quote is not closed" : null}
          onChange={(event) => setWords(event.currentTarget.value)}
        />
        <TextField
          label="File to start"
          value={file}
          placeholder={entrypoint}
          fontFamily="mono"
          onChange={(event) => setFile(event.currentTarget.value)}
        />
        <TextAreaField
          label="Variables"
          rows={2}
          value={variables}
          placeholder="NAME=value"
          help="One a line; shown with the run, so no secrets"
          problem={isTried ? env.problem : null}
          onChange={(event) => setVariables(event.currentTarget.value)}
        />
        <TextAreaField label="Standard input" rows={2} value={stdin} onChange={(event) => setStdin(event.currentTarget.value)} />
        <Grid templateColumns={{ base: "1fr", sm: "1fr 1fr" }} gap="3">
          <Field.Root gap="1">
            <Field.Label fontSize="sm">Model</Field.Label>
            <SelectField label="Model" width="full" value={modelId} onChoose={setModelId}>
              <option value="">as the program says</option>
              {usable.map((model) => (
                <option key={model.id} value={model.id}>
                  {model.name}
                </option>
              ))}
            </SelectField>
          </Field.Root>
          <Field.Root gap="1">
            <Field.Label fontSize="sm">Resources</Field.Label>
            <SelectField label="Resources" width="full" value={profile} onChoose={(value) => setProfile(value as Profile | "")}>
              <option value="">as the program says</option>
              {profiles.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </SelectField>
          </Field.Root>
        </Grid>
        <FileList
          files={files}
          uploading={upload.isPending}
          onAdd={(picked) => upload.mutate(picked)}
          onRemove={(path) => setFiles(files.filter((other) => other.path !== path))}
          hint="They lie beside the program's own; one of the same path takes its place."
        />
        {upload.isError ? <ErrorPanel error={upload.error} /> : null}
        <DatasetPicker chosen={datasets} onChange={setDatasets} />
        {run.isError ? <ErrorPanel error={run.error} /> : null}
        <Flex justify="flex-end" mt="1">
          <Button type="submit" size="sm" colorPalette="accent" loading={run.isPending} loadingText="Starting">
            Run
          </Button>
        </Flex>
      </chakra.form>
    </Modal>
  );
}

function useRunProgram() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (input: ProgramRunInputDraft): Promise<Run> => syla.runs.create(input),
    onSuccess: (run) => {
      client.setQueryData(["run", run.id], run);
      void client.invalidateQueries({ queryKey: ["runs"] });
    },
  });
}

function quote(word: string): string {
  return /^[\w./:=@%+,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
