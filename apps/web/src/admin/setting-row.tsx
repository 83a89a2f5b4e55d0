import { Box, Button, Flex, Input, Text } from "@chakra-ui/react";
import type { Setting, SettingForm } from "@syla/sdk";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { useChangeSetting } from "./queries.ts";

const origins = {
  environment: "environment",
  file: "config.json",
  administrator: "chosen here",
  default: "default",
} as const;

/** One setting: what it is for, what it is, who says so, and, where that is allowed, another value. */
export function SettingRow({ setting }: { readonly setting: Setting }) {
  const { name, env, description, origin, form, isFixed } = setting;
  return (
    <Flex
      px="4"
      py="2.5"
      gap="4"
      wrap="wrap"
      borderTopWidth="1px"
      borderColor="border.muted"
      _first={{ borderTopWidth: 0 }}
      data-setting={name}
    >
      <Box flex="2 1 320px" minW="0">
        <Text fontFamily="mono" fontSize="xs">
          {env}
        </Text>
        <Text fontSize="xs" color="fg.muted" overflowWrap="anywhere">
          {description.replaceAll("`", "")}
        </Text>
      </Box>
      <Box flex="1 1 220px" minW="0">
        {form === null || isFixed ? (
          <FixedValue setting={setting} />
        ) : (
          <ValueEditor key={setting.value ?? ""} setting={setting} form={form} />
        )}
        <Text fontSize="xs" color={origin === "default" ? "fg.subtle" : "fg.muted"}>
          {origins[origin]}
          {form !== null && isFixed ? "; fixed there, so it cannot be changed here" : ""}
        </Text>
      </Box>
    </Flex>
  );
}

function FixedValue({ setting: { value, isSet } }: { readonly setting: Setting }) {
  return <Text overflowWrap="anywhere">{value ?? (isSet ? "set, not shown" : "not set")}</Text>;
}

interface ValueEditorProps {
  readonly setting: Setting;
  readonly form: SettingForm;
}

/** Flags and choices are saved as they are chosen; what is typed, when it is submitted. */
function ValueEditor({ setting, form }: ValueEditorProps) {
  const { name, env, value, origin } = setting;
  const change = useChangeSetting();
  const [text, setText] = useState(value ?? "");
  const save = (to: string | null) => change.mutate({ [name]: to });
  const choices = choicesOf(form);
  return (
    <>
      <Flex
        as="form"
        gap="2"
        align="center"
        wrap="wrap"
        onSubmit={(event) => {
          event.preventDefault();
          save(text.trim());
        }}
      >
        {choices === null ? (
          <>
            <Input
              size="xs"
              flex="1 1 96px"
              maxW="220px"
              aria-label={env}
              {...(form.kind === "number" ? { type: "number", min: form.min, max: form.max, required: true } : { placeholder: "none" })}
              value={text}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <Button type="submit" size="xs" variant="outline" disabled={text.trim() === (value ?? "")} loading={change.isPending}>
              Save
            </Button>
          </>
        ) : (
          <SelectField label={env} size="xs" width="36" value={value ?? ""} onChoose={save}>
            {choices.map(([choice, word]) => (
              <option key={choice} value={choice}>
                {word}
              </option>
            ))}
          </SelectField>
        )}
        {origin === "administrator" ? (
          <Button size="xs" variant="plain" color="fg.muted" aria-label={`Default of ${env}`} onClick={() => save(null)}>
            Default
          </Button>
        ) : null}
      </Flex>
      {change.error ? <ErrorPanel error={change.error} /> : null}
    </>
  );
}

function choicesOf(form: SettingForm): readonly (readonly [string, string])[] | null {
  if (form.kind === "choice") return form.choices.map((choice) => [choice, choice]);
  if (form.kind !== "flag") return null;
  return [
    ["true", "yes"],
    ["false", "no"],
  ];
}
