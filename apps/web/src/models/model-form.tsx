import { Box, Button, Field, Flex, Grid, Text } from "@chakra-ui/react";
import type { Model, ModelConfigDraft, ModelProvider } from "@syla/sdk";
import { type FormEvent, type ReactNode, useState } from "react";
import { CredentialPicker } from "../credentials/credential-picker.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { FilterChip } from "../ui/filter-chip.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { SaveProblem } from "../ui/save-problem.tsx";
import { SelectField } from "../ui/select-field.tsx";
import {
  emptyDraft,
  modalities,
  modalityLabels,
  type ModelDraft,
  providerLabels,
  roleLabels,
  toConfig,
  toDraft,
  withSeen,
} from "./draft.ts";
import { HeaderFields } from "./header-fields.tsx";
import { useTestModel } from "./queries.ts";
import { TestResult } from "./test-result.tsx";

interface ModelFormProps {
  /** Null: a new one, which is named here as well. */
  readonly model: Model | null;
  readonly ownerId: string;
  readonly saving: boolean;
  readonly error: unknown;
  readonly saveLabel: string;
  readonly onSave: (input: { name: string; description: string; config: ModelConfigDraft }) => void;
}

type Words = { [K in keyof ModelDraft]: ModelDraft[K] extends string ? K : never }[keyof ModelDraft];

/** How a model is reached and what it costs, with a call for real before it is stored. */
export function ModelForm({ model, ownerId, saving, error, saveLabel, onSave }: ModelFormProps) {
  const before = model?.config ?? null;
  const [draft, setDraft] = useState<ModelDraft>(
    before === null || model === null ? emptyDraft : toDraft(model.name, model.description, before),
  );
  const test = useTestModel();
  const config = toConfig(draft, before);
  const set = (change: Partial<ModelDraft>) => {
    setDraft({ ...draft, ...change });
    test.reset();
  };
  const problemOf = (path: string) => fieldProblem(error, path) ?? fieldProblem(test.error, path);
  const field = (key: Words, label: string, path: string, more: Partial<Parameters<typeof TextField>[0]> = {}) => (
    <TextField
      label={label}
      value={draft[key]}
      onChange={(event) => set({ [key]: event.currentTarget.value })}
      problem={problemOf(path)}
      {...more}
    />
  );
  const choice = (key: Words, label: string, options: Readonly<Record<string, string>>) => (
    <Choice label={label} value={draft[key]} options={options} onChoose={(value) => set({ [key]: value })} />
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onSave({ name: draft.name, description: draft.description, config });
  };
  const tryIt = () => test.mutate({ config, ownerId }, { onSuccess: (seen) => setDraft((now) => withSeen(now, seen)) });
  const price = { type: "number", min: 0, step: "any", placeholder: "unknown" } as const;
  const rate = { type: "number", min: 1, placeholder: "any number" } as const;
  const { provider } = draft;
  return (
    <Box as="form" onSubmit={onSubmit} p="4">
      <Part>
        {model === null ? field("name", "Name", "name", { required: true, maxLength: 100 }) : null}
        {model === null ? field("description", "Description", "description", { maxLength: 1000 }) : null}
        <Choice
          label="Provider"
          value={provider}
          options={Object.fromEntries(Object.entries(providerLabels).map(([value, { label }]) => [value, label]))}
          onChoose={(chosen) => set({ provider: chosen as ModelProvider })}
        />
        {field("modelId", provider === "azure" ? "Deployment" : "Model", "config.modelId", {
          required: true,
          maxLength: 200,
          placeholder: providerLabels[provider].example,
        })}
        {field("baseUrl", "Address", "config.baseUrl", {
          type: "url",
          placeholder: provider === "ollama" ? "http://127.0.0.1:11434" : "the provider's own",
          required: provider === "azure" || provider === "watsonx" || provider === "openai-compatible",
        })}
        <CredentialPicker
          kind="model"
          label="Credential"
          ownerId={ownerId}
          value={draft.credentialId}
          onChange={(credentialId) => set({ credentialId })}
          problem={problemOf("config.credentialId")}
        />
        {provider === "azure" || provider === "watsonx" ? field("apiVersion", "API version", "config.apiVersion") : null}
        {provider === "watsonx" ? field("projectId", "Project", "config.projectId", { required: true }) : null}
        {field("inputPrice", "Input, $ a million tokens", "config.prices.input", price)}
        {field("outputPrice", "Output, $ a million tokens", "config.prices.output", price)}
        {field("cachedPrice", "Cached input, $ a million tokens", "config.prices.cachedInput", { ...price, placeholder: "as other input" })}
        {choice("leastRole", "Answers calls of", roleLabels)}
      </Part>
      <Part heading="What a call gets that does not say itself">
        {field("temperature", "Temperature by default", "config.parameters.temperature", { type: "number", min: 0, max: 2, step: "any" })}
        {field("maxTokens", "Most tokens of an answer by default", "config.parameters.maxTokens", { type: "number", min: 1 })}
        {field("topP", "Top P by default", "config.parameters.topP", { type: "number", min: 0, max: 1, step: "any" })}
        {field("seed", "Seed by default", "config.parameters.seed", { type: "number", min: 0 })}
        {field("frequencyPenalty", "Frequency penalty by default", "config.parameters.frequencyPenalty", penalty)}
        {field("presencePenalty", "Presence penalty by default", "config.parameters.presencePenalty", penalty)}
        <TextAreaField
          label="Ends an answer by default"
          rows={2}
          help="Texts, one a line"
          value={draft.stop}
          onChange={(event) => set({ stop: event.currentTarget.value })}
          problem={problemOf("config.parameters.stop")}
        />
      </Part>
      <Part heading="What it can do" note="a test finds out">
        <Field.Root gap="1">
          <Field.Label fontSize="sm">Takes and gives</Field.Label>
          <Flex gap="1.5" wrap="wrap" role="group" aria-label="Takes and gives">
            {modalities.map((one) => (
              <FilterChip
                key={one}
                pressed={draft.modalities.includes(one)}
                onClick={() => set({ modalities: modalities.filter((other) => draft.modalities.includes(other) !== (other === one)) })}
              >
                {modalityLabels[one]}
              </FilterChip>
            ))}
          </Flex>
        </Field.Root>
        {field("contextWindow", "Context window, tokens", "config.capabilities.contextWindow", {
          type: "number",
          min: 1,
          placeholder: "unknown",
        })}
        {choice("streaming", "Streams", { yes: "yes", no: "no" })}
        {choice("tools", "Calls tools", yesNo)}
        {choice("json", "Keeps to JSON schemas", yesNo)}
      </Part>
      <Part heading="Limits" note="of all callers together, its owner too">
        {field("requestsPerMinute", "Calls a minute", "config.limits.requestsPerMinute", rate)}
        {field("tokensPerMinute", "Tokens a minute", "config.limits.tokensPerMinute", rate)}
      </Part>
      <Part heading="What is kept">
        {choice("store", "Prompts and answers", { hashed: "keep their hashes", full: "keep their text", off: "keep nothing" })}
        {field("storeDays", "Days that they are kept", "config.storeDays", {
          type: "number",
          min: 1,
          max: 3650,
          placeholder: "as long as the server says",
        })}
        {field("cacheSeconds", "Equal calls get the kept answer, seconds", "config.cacheSeconds", {
          type: "number",
          min: 0,
          max: 2_592_000,
        })}
        {choice("cacheFor", "Kept answers are for", { person: "the person who asked", everybody: "everybody who may call it" })}
      </Part>
      <Part heading="Headers of every call" columns="1fr">
        <HeaderFields headers={draft.headers} secretHeaders={draft.secretHeaders} ownerId={ownerId} onChange={set} problemOf={problemOf} />
      </Part>
      <Flex gap="2" mt="4" align="center" wrap="wrap">
        <Button type="submit" size="sm" colorPalette="accent" loading={saving} loadingText="Saving">
          {saveLabel}
        </Button>
        <Button
          size="sm"
          variant="outline"
          loading={test.isPending}
          loadingText="Calling it"
          disabled={draft.modelId.trim() === ""}
          onClick={tryIt}
        >
          Test
        </Button>
      </Flex>
      {test.data ? <TestResult test={test.data} /> : null}
      {(error ?? test.error) ? (
        <Box mt="3">
          <SaveProblem error={error ?? test.error} loaded={model ?? {}} />
        </Box>
      ) : null}
    </Box>
  );
}

const penalty = { type: "number", min: -2, max: 2, step: "any" } as const;
const yesNo = { unknown: "unknown", yes: "yes", no: "no" };

interface PartProps {
  readonly heading?: string;
  readonly note?: string;
  readonly columns?: string;
  readonly children: ReactNode;
}

/** A few fields that belong together. */
function Part({ heading, note, columns = "1fr 1fr", children }: PartProps) {
  return (
    <Box role="group" aria-label={heading} mt={heading === undefined ? "0" : "5"}>
      {heading === undefined ? null : (
        <Flex gap="2" align="baseline" mb="2" pb="1" borderBottomWidth="1px" borderColor="border.muted">
          <Text fontSize="sm" fontWeight="semibold">
            {heading}
          </Text>
          <Text fontSize="xs" color="fg.subtle">
            {note}
          </Text>
        </Flex>
      )}
      <Grid templateColumns={{ base: "minmax(0, 1fr)", md: columns }} gap="3">
        {children}
      </Grid>
    </Box>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly value: string;
  readonly options: Readonly<Record<string, string>>;
  readonly onChoose: (value: string) => void;
}

function Choice({ label, value, options, onChoose }: ChoiceProps) {
  return (
    <Box>
      <Box fontSize="sm" fontWeight="medium" mb="1">
        {label}
      </Box>
      <SelectField label={label} width="100%" value={value} onChoose={onChoose}>
        {Object.entries(options).map(([option, word]) => (
          <option key={option} value={option}>
            {word}
          </option>
        ))}
      </SelectField>
    </Box>
  );
}
