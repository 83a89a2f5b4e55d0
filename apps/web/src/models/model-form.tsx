import { Box, Button, Flex, Grid } from "@chakra-ui/react";
import type { Model, ModelConfigDraft, ModelProvider } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { CredentialPicker } from "../credentials/credential-picker.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { emptyDraft, type ModelDraft, providerLabels, roleLabels, toConfig, toDraft } from "./draft.ts";
import { useTestModel } from "./queries.ts";
import { TestResult } from "./test-result.tsx";

interface ModelFormProps {
  readonly model: Model | null;
  readonly ownerId: string;
  readonly saving: boolean;
  readonly error: unknown;
  readonly saveLabel: string;
  readonly onSave: (input: { name: string; description: string; config: ModelConfigDraft }) => void;
}

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
  const field = (key: keyof ModelDraft, label: string, path: string, more: Partial<Parameters<typeof TextField>[0]> = {}) => (
    <TextField
      label={label}
      value={draft[key] ?? ""}
      onChange={(event) => set({ [key]: event.currentTarget.value })}
      problem={fieldProblem(error, path) ?? fieldProblem(test.error, path)}
      {...more}
    />
  );
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onSave({ name: draft.name, description: draft.description, config });
  };
  const price = { type: "number", min: 0, step: "any", placeholder: "unknown" } as const;
  const { provider } = draft;
  return (
    <Box as="form" onSubmit={onSubmit} p="4">
      <Grid templateColumns={{ base: "1fr", md: "1fr 1fr" }} gap="3">
        {field("name", "Name", "name", { required: true, maxLength: 100 })}
        {field("description", "Description", "description", { maxLength: 1000 })}
        <Box>
          <Box fontSize="sm" fontWeight="medium" mb="1">
            Provider
          </Box>
          <SelectField label="Provider" width="100%" value={provider} onChoose={(chosen) => set({ provider: chosen as ModelProvider })}>
            {Object.entries(providerLabels).map(([value, { label }]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </SelectField>
        </Box>
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
          problem={fieldProblem(error, "config.credentialId") ?? fieldProblem(test.error, "config.credentialId")}
        />
        {provider === "azure" || provider === "watsonx" ? field("apiVersion", "API version", "config.apiVersion") : null}
        {provider === "watsonx" ? field("projectId", "Project", "config.projectId", { required: true }) : null}
        {field("inputPrice", "Input, $ a million tokens", "config.prices.input", price)}
        {field("outputPrice", "Output, $ a million tokens", "config.prices.output", price)}
        {field("cachedPrice", "Cached input, $ a million tokens", "config.prices.cachedInput", { ...price, placeholder: "as other input" })}
        {field("contextWindow", "Context window, tokens", "config.capabilities.contextWindow", {
          type: "number",
          min: 1,
          placeholder: "unknown",
        })}
        {field("temperature", "Temperature by default", "config.parameters.temperature", { type: "number", min: 0, max: 2, step: "any" })}
        {field("maxTokens", "Most tokens of an answer by default", "config.parameters.maxTokens", { type: "number", min: 1 })}
        <Box>
          <Box fontSize="sm" fontWeight="medium" mb="1">
            Answers calls of
          </Box>
          <SelectField
            label="Answers calls of"
            width="100%"
            value={draft.leastRole}
            onChoose={(role) => set({ leastRole: role as ModelDraft["leastRole"] })}
          >
            {Object.entries(roleLabels).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </SelectField>
        </Box>
        {field("cacheSeconds", "Equal calls get the kept answer, seconds", "config.cacheSeconds", {
          type: "number",
          min: 0,
          max: 2_592_000,
        })}
        <Box>
          <Box fontSize="sm" fontWeight="medium" mb="1">
            Prompts and answers
          </Box>
          <SelectField
            label="Prompts and answers"
            width="100%"
            value={draft.store}
            onChoose={(store) => set({ store: store as ModelDraft["store"] })}
          >
            <option value="hashed">keep their hashes</option>
            <option value="full">keep their text</option>
            <option value="off">keep nothing</option>
          </SelectField>
        </Box>
      </Grid>
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
          onClick={() => test.mutate({ config, ownerId })}
        >
          Test
        </Button>
      </Flex>
      {test.data ? <TestResult test={test.data} /> : null}
      {(error ?? test.error) ? (
        <Box mt="3">
          <ErrorPanel error={error ?? test.error} />
        </Box>
      ) : null}
    </Box>
  );
}
