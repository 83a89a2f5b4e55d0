import { Box, Button, Checkbox, Flex, Grid, Text } from "@chakra-ui/react";
import { useState } from "react";
import { ModelPicker } from "../../models/model-picker.tsx";
import { TextAreaField, TextField } from "../../ui/form-field.tsx";
import { limitFields } from "../limits.ts";
import type { Draft } from "./draft.ts";
import { FileList } from "./file-list.tsx";
import { NetworkPicker } from "./network-picker.tsx";
import { TierPicker } from "./tier-picker.tsx";
import type { PickedFile } from "../../editor/upload-files.ts";

interface DraftOptionsProps {
  readonly draft: Draft;
  readonly problems: Readonly<Record<string, string>>;
  readonly defaultEntrypoint: string;
  readonly uploading: boolean;
  readonly onChange: (draft: Draft) => void;
  readonly onAddFiles: (picked: readonly PickedFile[]) => void;
}

const tabs = ["Input", "Arguments", "Environment", "Files", "Model", "Network", "Limits", "Reuse"] as const;
type OptionTab = (typeof tabs)[number];

/** What goes along with the code, below the editor. */
export function DraftOptions(props: DraftOptionsProps) {
  const [tab, setTab] = useState<OptionTab | null>("Input");
  const marks = tabMarks(props);
  return (
    <Box borderTopWidth="1px" borderColor="border" flexShrink="0" bg="bg.panel">
      <Flex role="group" aria-label="What goes along" px="2" gap="1" overflowX="auto">
        {tabs.map((name) => (
          <Button
            key={name}
            size="xs"
            variant="plain"
            px="2"
            h="9"
            rounded="0"
            borderWidth="0"
            aria-expanded={tab === name}
            color={tab === name ? "fg" : "fg.muted"}
            borderBottomWidth="2px"
            borderColor={tab === name ? "accent.solid" : "transparent"}
            outlineOffset="-2px"
            onClick={() => setTab(tab === name ? null : name)}
          >
            {name}
            {marks[name] ? (
              <Box as="span" color={marks[name] === "!" ? "fg.error" : "accent.fg"}>
                {marks[name]}
              </Box>
            ) : null}
          </Button>
        ))}
      </Flex>
      {tab ? (
        <Box h="164px" overflowY="auto" px="3" py="2" borderTopWidth="1px" borderColor="border.muted">
          <OptionPanel tab={tab} {...props} />
        </Box>
      ) : null}
    </Box>
  );
}

/** A short sign behind a tab's name that something is set there, or wrong. */
function tabMarks({ draft, problems }: DraftOptionsProps): Readonly<Record<OptionTab, string>> {
  const limits = Object.values(draft.limits).filter((text) => text?.trim()).length;
  return {
    Input: draft.stdin ? "•" : "",
    Arguments: draft.args ? String(draft.args.replace(/\n$/, "").split("\n").length) : "",
    Environment: problems["env"] ? "!" : draft.env.trim() ? "•" : "",
    Files: draft.files.length > 0 ? String(draft.files.length) : "",
    Model: draft.model === "" ? "" : "•",
    Network: problems["network"] ? "!" : draft.network === "none" ? "" : "•",
    Limits: limitFields.some(({ name }) => problems[name]) ? "!" : limits > 0 ? String(limits) : "",
    Reuse: draft.reuse ? "•" : "",
  };
}

function OptionPanel({
  tab,
  draft,
  problems,
  defaultEntrypoint,
  uploading,
  onChange,
  onAddFiles,
}: DraftOptionsProps & { readonly tab: OptionTab }) {
  switch (tab) {
    case "Input":
      return (
        <TextAreaField
          label="Standard input"
          rows={5}
          value={draft.stdin}
          onChange={(event) => onChange({ ...draft, stdin: event.currentTarget.value })}
        />
      );
    case "Arguments":
      return (
        <TextAreaField
          label="Arguments, one a line"
          rows={5}
          value={draft.args}
          onChange={(event) => onChange({ ...draft, args: event.currentTarget.value })}
          help="Spaces belong to the argument; nothing needs quotes."
        />
      );
    case "Environment":
      return (
        <TextAreaField
          label="Variables, NAME=value, one a line"
          rows={5}
          value={draft.env}
          onChange={(event) => onChange({ ...draft, env: event.currentTarget.value })}
          problem={problems["env"]}
          help="They are stored with the run and shown on its page: no secrets."
        />
      );
    case "Files":
      return (
        <>
          <Box maxW="320px" mb="2">
            <TextField
              label="Name of the code's own file"
              size="xs"
              fontFamily="mono"
              placeholder={defaultEntrypoint}
              value={draft.entrypoint}
              onChange={(event) => onChange({ ...draft, entrypoint: event.currentTarget.value })}
            />
          </Box>
          <FileList
            files={draft.files}
            uploading={uploading}
            onAdd={onAddFiles}
            onRemove={(path) => onChange({ ...draft, files: draft.files.filter((file) => file.path !== path) })}
          />
        </>
      );
    case "Model":
      return <ModelPicker value={draft.model} onChange={(model) => onChange({ ...draft, model })} />;
    case "Network":
      return <NetworkPicker draft={draft} problem={problems["network"]} onChange={onChange} />;
    case "Limits":
      return (
        <Flex direction="column" gap="3">
          <LimitInputs draft={draft} problems={problems} onChange={onChange} />
          {draft.replay === null ? <TierPicker value={draft.tier} onChange={(tier) => onChange({ ...draft, tier })} /> : null}
        </Flex>
      );
    case "Reuse":
      return (
        <>
          <Checkbox.Root size="sm" checked={draft.reuse} onCheckedChange={({ checked }) => onChange({ ...draft, reuse: checked === true })}>
            <Checkbox.HiddenInput />
            <Checkbox.Control />
            <Checkbox.Label>The program does the same every time</Checkbox.Label>
          </Checkbox.Root>
          <Text mt="1" fontSize="xs" color="fg.muted" maxW="480px">
            An equal run of yours from the last 24 hours then answers at once, without running anything; otherwise this one runs, and its
            result is kept.
          </Text>
        </>
      );
  }
}

function LimitInputs({ draft, problems, onChange }: Pick<DraftOptionsProps, "draft" | "problems" | "onChange">) {
  return (
    <Grid templateColumns="repeat(auto-fill, minmax(140px, 1fr))" gap="3">
      {limitFields.map(({ name, label, unit }) => (
        <TextField
          key={name}
          label={`${label}, ${unit}`}
          size="xs"
          inputMode="decimal"
          placeholder="default"
          value={draft.limits[name] ?? ""}
          problem={problems[name]}
          onChange={(event) => onChange({ ...draft, limits: { ...draft.limits, [name]: event.currentTarget.value } })}
        />
      ))}
    </Grid>
  );
}
