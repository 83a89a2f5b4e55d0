import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { Plus, X } from "lucide-react";
import { CredentialPicker } from "../credentials/credential-picker.tsx";
import { TextField } from "../ui/form-field.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import type { HeaderDraft } from "./draft.ts";

interface HeaderFieldsProps {
  readonly headers: readonly HeaderDraft[];
  readonly secretHeaders: readonly HeaderDraft[];
  readonly ownerId: string;
  readonly onChange: (change: { headers?: readonly HeaderDraft[]; secretHeaders?: readonly HeaderDraft[] }) => void;
  /** What is wrong with the header at a place of the configuration. */
  readonly problemOf: (path: string) => string | null;
}

const noHeader: HeaderDraft = { name: "", value: "" };

/** Headers that every call is sent with; those that hold secrets name a credential. */
export function HeaderFields({ headers, secretHeaders, ownerId, onChange, problemOf }: HeaderFieldsProps) {
  const changed = (list: readonly HeaderDraft[], index: number, change: Partial<HeaderDraft>) =>
    list.map((one, at) => (at === index ? { ...one, ...change } : one));
  const without = (list: readonly HeaderDraft[], index: number) => list.filter((_, at) => at !== index);
  return (
    <Box>
      {headers.map((header, index) => (
        <Flex key={index} gap="2" mb="2" align="flex-end" wrap="wrap">
          <NameField
            label={`Header ${index + 1}`}
            header={header}
            problem={problemOf(`config.headers.${header.name}`)}
            onChange={(name) => onChange({ headers: changed(headers, index, { name }) })}
          />
          <Box flex="2 1 200px">
            <TextField
              label={`Value of header ${index + 1}`}
              value={header.value}
              maxLength={1000}
              onChange={(event) => onChange({ headers: changed(headers, index, { value: event.currentTarget.value }) })}
            />
          </Box>
          <IconButton label={`Without header ${index + 1}`} onClick={() => onChange({ headers: without(headers, index) })}>
            <X />
          </IconButton>
        </Flex>
      ))}
      {secretHeaders.map((header, index) => (
        <Flex key={index} gap="2" mb="2" align="flex-end" wrap="wrap">
          <NameField
            label={`Secret header ${index + 1}`}
            header={header}
            problem={null}
            onChange={(name) => onChange({ secretHeaders: changed(secretHeaders, index, { name }) })}
          />
          <Box flex="2 1 200px">
            <CredentialPicker
              kind="model"
              label={`Secret of header ${index + 1}`}
              ownerId={ownerId}
              value={header.value === "" ? null : header.value}
              onChange={(id) => onChange({ secretHeaders: changed(secretHeaders, index, { value: id ?? "" }) })}
              problem={problemOf(`config.secretHeaders.${header.name}`)}
            />
          </Box>
          <IconButton
            label={`Without secret header ${index + 1}`}
            onClick={() => onChange({ secretHeaders: without(secretHeaders, index) })}
          >
            <X />
          </IconButton>
        </Flex>
      ))}
      <Flex gap="2" align="center" wrap="wrap">
        <Button size="xs" variant="outline" disabled={headers.length >= 20} onClick={() => onChange({ headers: [...headers, noHeader] })}>
          <Plus aria-hidden /> Add a header
        </Button>
        <Button
          size="xs"
          variant="outline"
          disabled={secretHeaders.length >= 10}
          onClick={() => onChange({ secretHeaders: [...secretHeaders, noHeader] })}
        >
          <Plus aria-hidden /> Add a secret header
        </Button>
        <Text fontSize="xs" color="fg.muted">
          The key itself needs none: it is sent as the provider wants it.
        </Text>
      </Flex>
    </Box>
  );
}

interface NameFieldProps {
  readonly label: string;
  readonly header: HeaderDraft;
  readonly problem: string | null;
  readonly onChange: (name: string) => void;
}

function NameField({ label, header, problem, onChange }: NameFieldProps) {
  return (
    <Box flex="1 1 160px">
      <TextField
        label={label}
        fontFamily="mono"
        placeholder="X-Name"
        maxLength={64}
        value={header.name}
        problem={problem}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </Box>
  );
}
