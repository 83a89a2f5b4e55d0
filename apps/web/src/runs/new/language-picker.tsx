import { Box, Flex, NativeSelect, Text } from "@chakra-ui/react";
import type { Runtime } from "@syla/sdk";
import { Copyable } from "../../ui/copyable.tsx";

interface LanguagePickerProps {
  readonly runtimes: readonly Runtime[];
  readonly value: string;
  readonly onChange: (name: string) => void;
}

/** The languages; those that are not installed can be chosen to see how to get them. */
export function LanguagePicker({ runtimes, value, onChange }: LanguagePickerProps) {
  return (
    <NativeSelect.Root size="xs" w="auto" minW="36">
      <NativeSelect.Field aria-label="Language" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {runtimes.some((runtime) => runtime.name === value) ? null : <option value={value}>{value}</option>}
        {runtimes.map((runtime) => (
          <option key={runtime.name} value={runtime.name}>
            {runtime.title}
            {runtime.available ? (runtime.version ? ` ${runtime.version}` : "") : " (not installed)"}
          </option>
        ))}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}

/** What to do about a language that is known but not installed. */
export function InstallHint({ runtime }: { readonly runtime: Runtime }) {
  return (
    <Flex
      role="status"
      columnGap="3"
      wrap="wrap"
      px="3"
      py="2"
      fontSize="xs"
      bg="bg.warning"
      color="fg.warning"
      borderBottomWidth="1px"
      borderColor="border"
    >
      <Text>{runtime.title} is not installed on this server.</Text>
      {runtime.install ? (
        <Box color="fg">
          <Copyable text={runtime.install} label="command" />
        </Box>
      ) : null}
    </Flex>
  );
}
