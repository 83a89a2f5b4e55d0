import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { ProgramRunInputDraft } from "@syla/sdk";
import { Plus, X } from "lucide-react";
import { syla } from "../app/api.ts";
import { useAsset } from "../catalog/queries.ts";
import { useVersions } from "../programs/queries.ts";
import { formatCount } from "../ui/format.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useUsableDatasets } from "./queries.ts";

/** A dataset that was chosen for a run; empty words: nothing yet, what is there now, all rows. */
export interface ChosenDataset {
  readonly id: string;
  readonly version: string;
  readonly split: string;
}

type Bindings = NonNullable<ProgramRunInputDraft["datasets"]>;

/** The choices as a run takes them. */
export function toBindings(chosen: readonly ChosenDataset[]): Bindings {
  return chosen
    .filter(({ id }) => id !== "")
    .map(({ id, version, split }) => ({ id, ...(version === "" ? {} : { version }), ...(split === "" ? {} : { split }) }));
}

interface DatasetPickerProps {
  readonly chosen: readonly ChosenDataset[];
  readonly onChange: (chosen: readonly ChosenDataset[]) => void;
}

/** Datasets for a run: which, which version, and which split. */
export function DatasetPicker({ chosen, onChange }: DatasetPickerProps) {
  const datasets = useUsableDatasets();
  const change = (index: number, part: Partial<ChosenDataset>) =>
    onChange(chosen.map((one, at) => (at === index ? { ...one, ...part } : one)));
  const known = datasets.data ?? [];
  if (datasets.isSuccess && known.length === 0 && chosen.length === 0) return null;
  return (
    <Box role="group" aria-label="Datasets">
      <Text fontSize="sm" fontWeight="medium" mb="1">
        Datasets
      </Text>
      {chosen.map((one, index) => (
        <Flex key={index} gap="1" mb="1.5" wrap="wrap" align="center">
          <SelectField
            label={`Dataset ${index + 1}`}
            size="xs"
            width="44"
            value={one.id}
            onChoose={(id) => change(index, { id, version: "", split: "" })}
          >
            <option value="">choose one</option>
            {known.map(({ id, name }) => (
              <option key={id} value={id}>
                {name}
              </option>
            ))}
          </SelectField>
          {one.id === "" ? null : <VersionAndSplit chosen={one} onChange={(part) => change(index, part)} />}
          <IconButton label={`Without dataset ${index + 1}`} onClick={() => onChange(chosen.filter((_, at) => at !== index))}>
            <X />
          </IconButton>
        </Flex>
      ))}
      <Button
        size="xs"
        variant="outline"
        disabled={chosen.length >= 20}
        onClick={() => onChange([...chosen, { id: "", version: "", split: "" }])}
      >
        <Plus aria-hidden /> Add a dataset
      </Button>
      {chosen.length > 0 ? (
        <Text mt="1" fontSize="xs" color="fg.muted">
          It lies in the folder datasets, and the variable SYLA_DATASETS says where.
        </Text>
      ) : null}
    </Box>
  );
}

interface ChoiceProps {
  readonly chosen: ChosenDataset;
  readonly onChange: (part: Partial<ChosenDataset>) => void;
}

function VersionAndSplit({ chosen, onChange }: ChoiceProps) {
  const asset = useAsset(chosen.id);
  const versions = useVersions(chosen.id);
  const version = versions.data?.items.find((one) => one.version === chosen.version);
  const config = version ?? asset.data;
  const shares = config === undefined ? [] : (syla.datasets.config(config).splits?.shares ?? []);
  return (
    <>
      <SelectField label="Version" size="xs" width="24" value={chosen.version} onChoose={(next) => onChange({ version: next, split: "" })}>
        <option value="">now</option>
        {versions.data?.items.map((one) => (
          <option key={one.version} value={one.version}>
            {one.version}
          </option>
        ))}
      </SelectField>
      {shares.length > 0 ? (
        <SelectField label="Split" size="xs" width="36" value={chosen.split} onChoose={(split) => onChange({ split })}>
          <option value="">all rows</option>
          {shares.map(({ name, rows }) => (
            <option key={name} value={name}>
              {name} ({formatCount(rows)})
            </option>
          ))}
        </SelectField>
      ) : null}
    </>
  );
}
