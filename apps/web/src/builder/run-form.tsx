import { Button, chakra, Field, Flex, Text } from "@chakra-ui/react";
import type { CompositionRunDraft } from "@syla/sdk";
import { Play } from "lucide-react";
import { useMemo, useState } from "react";
import { CheckBox } from "../ui/check-box.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useBuilder } from "./builder-store.ts";
import { readInputs, type RunInput, runInputs } from "./run-inputs.ts";

/** Which part of a composition is run. */
export type RunPart = Pick<CompositionRunDraft, "until" | "from" | "only">;

interface RunFormProps {
  readonly typed: Readonly<Record<string, string>>;
  readonly onType: (typed: Readonly<Record<string, string>>) => void;
  readonly part: RunPart;
  /** What that part is, in words. */
  readonly partText: string;
  readonly isBusy: boolean;
  readonly error: unknown;
  readonly onRun: (inputs: Readonly<Record<string, unknown>>, part: RunPart) => void;
}

/** Asks for the inputs of a composition, each in the way of its type, and runs it. */
export function RunForm({ typed, onType, part, partText, isBusy, error, onRun }: RunFormProps) {
  const graph = useBuilder((state) => state.graph);
  const inputs = useMemo(() => runInputs(graph), [graph]);
  const [isTried, setIsTried] = useState(false);
  const { values, problems } = readInputs(inputs, typed);
  return (
    <chakra.form
      aria-label="Run"
      display="flex"
      flexDirection="column"
      gap="3"
      p="3"
      onSubmit={(event) => {
        event.preventDefault();
        setIsTried(true);
        if (Object.keys(problems).length === 0) onRun(values, part);
      }}
    >
      {inputs.length === 0 ? <Text color="fg.muted">It takes no inputs.</Text> : null}
      {inputs.map((input) => (
        <InputControl
          key={input.name}
          input={input}
          text={typed[input.name] ?? input.start}
          problem={isTried ? problems[input.name] : undefined}
          onType={(text) => onType({ ...typed, [input.name]: text })}
        />
      ))}
      {error === null ? null : <ErrorPanel error={error} />}
      <Flex align="center" gap="2">
        <Text flex="1" fontSize="xs" color="fg.muted">
          {partText}
        </Text>
        <Button type="submit" size="xs" colorPalette="accent" loading={isBusy}>
          <Play aria-hidden /> Run
        </Button>
      </Flex>
    </chakra.form>
  );
}

interface InputControlProps {
  readonly input: RunInput;
  readonly text: string;
  readonly problem: string | undefined;
  readonly onType: (text: string) => void;
}

function InputControl({ input, text, problem, onType }: InputControlProps) {
  const help = input.description === "" ? `${input.type}${input.isRequired ? "" : ", optional"}` : input.description;
  if (input.control === "boolean")
    return (
      <chakra.label display="flex" alignItems="center" gap="1" fontSize="sm">
        <CheckBox checked={text === "true"} onChange={(event) => onType(String(event.currentTarget.checked))} /> {input.name}
      </chakra.label>
    );
  if (input.control === "choice")
    return (
      <Field.Root gap="1" invalid={problem !== undefined}>
        <Field.Label fontSize="sm">{input.name}</Field.Label>
        <SelectField label={input.name} width="full" value={text} onChoose={onType}>
          <option value="" />
          {input.choices.map((choice) => (
            <option key={choice} value={choice}>
              {choice}
            </option>
          ))}
        </SelectField>
        {problem === undefined ? null : <Field.ErrorText fontSize="xs">{problem}</Field.ErrorText>}
      </Field.Root>
    );
  const field = {
    label: input.name,
    help,
    problem,
    value: text,
    onChange: (event: { currentTarget: { value: string } }) => onType(event.currentTarget.value),
  };
  return input.control === "number" ? <TextField {...field} inputMode="decimal" /> : <TextAreaField {...field} rows={3} />;
}
