import { Box, Flex, NativeSelect, Text } from "@chakra-ui/react";
import type { Runtime } from "@syla/sdk";
import { Copyable } from "../../ui/copyable.tsx";
import { describeStart, explainStart, findRuntime } from "../runtime-choice.ts";

interface LanguagePickerProps {
  readonly runtimes: readonly Runtime[];
  readonly value: string;
  readonly onChange: (name: string) => void;
  /** Whether how a program of the language starts is told. */
  readonly explains?: boolean;
}

/** The languages with their versions; those that are not installed can be chosen to see how to get them. */
export function LanguagePicker({ runtimes, value, onChange, explains = true }: LanguagePickerProps) {
  const chosen = findRuntime(runtimes, value);
  const missing = runtimes.filter((runtime) => !runtime.available);
  const isListed =
    chosen !== undefined && (value === chosen.name || chosen.versions.some((version) => value === `${chosen.name}@${version}`));
  return (
    <Flex align="center" gap="2" minW="0">
      <NativeSelect.Root size="xs" w="auto" minW="36" maxW={{ base: "52", sm: "60" }}>
        <NativeSelect.Field aria-label="Language" value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {isListed ? null : <option value={value}>{value}</option>}
          {runtimes.filter((runtime) => runtime.available).flatMap(versionOptions)}
          {missing.length > 0 ? (
            <optgroup label="Not installed">
              {missing.map((runtime) => (
                <option key={runtime.name} value={runtime.name} style={{ color: "var(--chakra-colors-fg-subtle)" }}>
                  {runtime.title} (not installed)
                </option>
              ))}
            </optgroup>
          ) : null}
        </NativeSelect.Field>
        <NativeSelect.Indicator />
      </NativeSelect.Root>
      {explains && chosen?.available === true ? (
        <Text data-tip={explainStart(chosen)} fontSize="xs" color="fg.muted" truncate hideBelow="md">
          {describeStart(chosen)}
        </Text>
      ) : null}
    </Flex>
  );
}

function versionOptions({ name, title, version, versions }: Runtime) {
  return [
    <option key={name} value={name}>
      {version === null ? title : `${title} ${version}`}
    </option>,
    ...versions.slice(1).map((other) => (
      <option key={`${name}@${other}`} value={`${name}@${other}`}>
        {`${title} ${other}`}
      </option>
    )),
  ];
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
        <Box color="fg" px="1" minW="0">
          <Copyable text={runtime.install} label="command" />
        </Box>
      ) : null}
    </Flex>
  );
}
