import { Box, Text } from "@chakra-ui/react";
import { SelectField } from "../ui/select-field.tsx";
import { useModels } from "./queries.ts";

interface ModelPickerProps {
  /** Id of the model; empty for none. */
  readonly value: string;
  readonly onChange: (id: string) => void;
}

/** One of the models that may be called. */
export function ModelPicker({ value, onChange }: ModelPickerProps) {
  const models = useModels();
  const usable = models.data?.filter((model) => model.usable) ?? [];
  return (
    <Box maxW="360px">
      <SelectField label="Model" width="100%" value={value} onChoose={onChange}>
        <option value="">no model</option>
        {usable.map(({ id, name, provider, modelId }) => (
          <option key={id} value={id}>
            {name} ({provider} {modelId})
          </option>
        ))}
        {value !== "" && !usable.some(({ id }) => id === value) ? <option value={value}>{value}</option> : null}
      </SelectField>
      <Text mt="1" fontSize="xs" color="fg.muted">
        The clients of OpenAI, Anthropic and Ollama find it by themselves, under any name. The key stays outside of the sandbox.
      </Text>
    </Box>
  );
}
