import { chakra, Flex, Text } from "@chakra-ui/react";
import { SelectField } from "../../ui/select-field.tsx";
import { TextField } from "../../ui/form-field.tsx";
import { useRuntimes } from "../../runs/queries.ts";

/** A file that a program may be started by. */
export interface EntrypointOption {
  readonly path: string;
  readonly reason: string;
  /** From 0 to 1; null when nothing says. */
  readonly confidence: number | null;
}

export interface HowItRuns {
  readonly runtime: string;
  readonly runtimeVersion: string | null;
  readonly entrypoint: string;
}

interface EntrypointChoiceProps {
  readonly value: HowItRuns;
  readonly onChange: (value: HowItRuns) => void;
  readonly options: readonly EntrypointOption[];
  readonly problem?: string | null;
  /** The language may be left to the file's name. */
  readonly mayGuess?: boolean;
}

const mostShown = 6;

/** The file that is run, with what speaks for each, and the language that runs it. */
export function EntrypointChoice({ value, onChange, options, problem = null, mayGuess = false }: EntrypointChoiceProps) {
  const runtimes = useRuntimes();
  const runtime = runtimes.data?.find(({ name }) => name === value.runtime);
  return (
    <Flex direction="column" gap="3">
      <TextField
        label="Entrypoint"
        required
        fontFamily="mono"
        help={options.find(({ path }) => path === value.entrypoint)?.reason ?? "The file that is run."}
        problem={problem}
        value={value.entrypoint}
        onChange={(event) => onChange({ ...value, entrypoint: event.currentTarget.value })}
      />
      {options.length > 0 ? (
        <Flex gap="1.5" wrap="wrap" role="group" aria-label="Files that it may be started by">
          {options.slice(0, mostShown).map(({ path, reason, confidence }) => (
            <chakra.button
              key={path}
              type="button"
              aria-pressed={path === value.entrypoint}
              title={reason}
              onClick={() => onChange({ ...value, entrypoint: path })}
              px="2"
              py="1"
              rounded="md"
              fontSize="xs"
              textAlign="left"
              borderWidth="1px"
              cursor="pointer"
              borderColor={path === value.entrypoint ? "accent.border" : "border"}
              bg={path === value.entrypoint ? "accent.subtle" : "bg.panel"}
              _hover={{ bg: "bg.muted" }}
            >
              <Text as="span" fontFamily="mono" overflowWrap="anywhere">
                {path}
              </Text>
              {confidence === null ? null : (
                <Text as="span" color="fg.muted" ml="1.5">
                  {Math.round(confidence * 100)} % sure
                </Text>
              )}
            </chakra.button>
          ))}
        </Flex>
      ) : null}
      <Flex gap="2" wrap="wrap">
        <SelectField
          label="Language"
          value={value.runtime}
          width="48"
          onChoose={(name) => onChange({ ...value, runtime: name, runtimeVersion: null })}
        >
          {mayGuess ? <option value="">as the file's name tells</option> : null}
          {runtime === undefined && value.runtime !== "" ? <option value={value.runtime}>{value.runtime}</option> : null}
          {runtimes.data?.map(({ name, title, available }) => (
            <option key={name} value={name}>
              {title}
              {available ? "" : " (not installed)"}
            </option>
          ))}
        </SelectField>
        {value.runtime === "" ? null : (
          <SelectField
            label="Version of the language"
            value={value.runtimeVersion ?? ""}
            width="44"
            onChoose={(version) => onChange({ ...value, runtimeVersion: version === "" ? null : version })}
          >
            <option value="">the default{runtime?.version ? ` (${runtime.version})` : ""}</option>
            {value.runtimeVersion !== null && runtime?.versions.includes(value.runtimeVersion) !== true ? (
              <option value={value.runtimeVersion}>{value.runtimeVersion}</option>
            ) : null}
            {runtime?.versions.map((version) => (
              <option key={version} value={version}>
                {version}
              </option>
            ))}
          </SelectField>
        )}
      </Flex>
    </Flex>
  );
}
