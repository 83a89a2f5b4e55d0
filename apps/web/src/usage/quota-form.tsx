import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { QuotaName } from "@syla/contracts/quotas";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { quotaLabels } from "./quota-list.tsx";

/** What is set for each quota, null where nothing is, and what then holds. */
export type QuotaFields<N extends QuotaName> = Readonly<Record<N, { readonly value: number | null; readonly placeholder: string }>>;

interface QuotaFormProps<N extends QuotaName> {
  readonly names: readonly N[];
  readonly fields: QuotaFields<N>;
  /** What nothing means. */
  readonly note: string;
  readonly pending: boolean;
  readonly error: unknown;
  readonly onSave: (limits: Record<N, number | null>) => void;
}

/** A number for each quota, or nothing. */
export function QuotaForm<N extends QuotaName>({ names, fields, note, pending, error, onSave }: QuotaFormProps<N>) {
  const [texts, setTexts] = useState(() => mapQuotas(names, (name) => fields[name].value?.toString() ?? ""));
  const [tried, setTried] = useState(false);
  const pattern = /^(|\d{1,9})$/;
  const problemOf = (name: N) => (pattern.test(texts[name].trim()) ? fieldProblem(error, name) : "a whole number or nothing");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setTried(true);
    if (names.every((name) => pattern.test(texts[name].trim())))
      onSave(mapQuotas(names, (name) => (texts[name].trim() === "" ? null : Number(texts[name]))));
  };
  return (
    <Box as="form" onSubmit={submit} p="4">
      <Text color="fg.muted" mb="3">
        {note}
      </Text>
      <Flex direction="column" gap="3">
        {names.map((name) => (
          <TextField
            key={name}
            label={quotaLabels[name]}
            inputMode="numeric"
            placeholder={fields[name].placeholder}
            value={texts[name]}
            problem={tried ? problemOf(name) : null}
            onChange={(event) => setTexts({ ...texts, [name]: event.currentTarget.value })}
          />
        ))}
        {error ? <ErrorPanel error={error} /> : null}
        <Button type="submit" size="sm" alignSelf="flex-end" colorPalette="accent" loading={pending} loadingText="Saving">
          Save
        </Button>
      </Flex>
    </Box>
  );
}

export function mapQuotas<N extends QuotaName, T>(names: readonly N[], value: (name: N) => T): Record<N, T> {
  return Object.fromEntries(names.map((name) => [name, value(name)])) as Record<N, T>;
}
