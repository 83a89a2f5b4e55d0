import { Flex, Text } from "@chakra-ui/react";
import { SelectField } from "./select-field.tsx";

interface CompareEndsProps {
  /** The version that is looked at; `head`: what is there now. */
  readonly from: string;
  readonly to: string;
  readonly versions: readonly string[];
  readonly onChoose: (ends: { readonly from?: string; readonly to?: string }) => void;
}

/** Which two versions are set beside each other. */
export function CompareEnds({ from, to, versions, onChoose }: CompareEndsProps) {
  const end = (label: string, value: string, choose: (value: string) => void) => (
    <SelectField label={label} size="xs" width="32" value={value} onChoose={choose}>
      <option value="head">now</option>
      {versions.map((version) => (
        <option key={version} value={version}>
          {version}
        </option>
      ))}
    </SelectField>
  );
  return (
    <Flex align="center" gap="2" mb="3" wrap="wrap">
      <Text fontWeight="medium">What differs</Text>
      {end("From", from, (value) => onChoose({ from: value }))}
      <Text color="fg.muted">→</Text>
      {end("To", to, (value) => onChoose({ to: value }))}
    </Flex>
  );
}
