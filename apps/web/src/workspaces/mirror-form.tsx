import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { Syla, WorkspaceMirror } from "@syla/sdk";
import { useState } from "react";
import { CredentialPicker } from "../credentials/credential-picker.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { TextField } from "../ui/form-field.tsx";
import { formatPlural } from "../ui/format.ts";
import { SelectField } from "../ui/select-field.tsx";

const choices = [5, 15, 60, 360, 1440, 10_080];

/** `6 hours`: in the largest unit that is whole. */
export function formatEvery(minutes: number): string {
  if (minutes % 1440 === 0) return formatPlural(minutes / 1440, "day");
  return minutes % 60 === 0 ? formatPlural(minutes / 60, "hour") : formatPlural(minutes, "minute");
}

interface MirrorFormProps {
  /** The one that is changed; null for a new one. */
  readonly mirror: WorkspaceMirror | null;
  readonly error: unknown;
  readonly isPending: boolean;
  readonly onSet: (input: Parameters<Syla["workspaces"]["mirror"]["set"]>[1]) => void;
  readonly onCancel?: () => void;
}

/** Which repository a workspace is to follow. */
export function MirrorForm({ mirror, error, isPending, onSet, onCancel }: MirrorFormProps) {
  const [url, setUrl] = useState(mirror?.url ?? "");
  const [ref, setRef] = useState(mirror?.ref ?? "");
  const [path, setPath] = useState(mirror?.path ?? "");
  const [credentialId, setCredentialId] = useState(mirror?.credentialId ?? null);
  const [everyMinutes, setEveryMinutes] = useState(mirror?.everyMinutes ?? 60);
  const submit = () =>
    onSet({
      url: url.trim(),
      credentialId,
      everyMinutes,
      ...(ref.trim() === "" ? {} : { ref: ref.trim() }),
      ...(path.trim() === "" ? {} : { path: path.trim() }),
    });
  return (
    <chakra.form
      display="flex"
      flexDirection="column"
      gap="3"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Text color="fg.muted">
        What changes there comes in here by itself, with your rights, together with what is changed here. Where both have changed the same,
        nothing is overwritten.
      </Text>
      <TextField
        label="Address"
        required
        maxLength={2000}
        placeholder="https://github.com/owner/name, or owner/name"
        value={url}
        problem={fieldProblem(error, "url")}
        onChange={(event) => setUrl(event.currentTarget.value)}
      />
      <Flex gap="3" wrap="wrap">
        <Box flex="1 1 200px">
          <TextField
            label="Branch"
            maxLength={255}
            help="Or a tag or commit; the default branch when left empty."
            value={ref}
            problem={fieldProblem(error, "ref")}
            onChange={(event) => setRef(event.currentTarget.value)}
          />
        </Box>
        <Box flex="1 1 200px">
          <TextField
            label="Folder"
            maxLength={1000}
            help="All of it when left empty."
            value={path}
            problem={fieldProblem(error, "path")}
            onChange={(event) => setPath(event.currentTarget.value)}
          />
        </Box>
      </Flex>
      <CredentialPicker
        kind="git"
        label="Credential"
        help="For a private repository. It is sent to its host alone."
        value={credentialId}
        problem={fieldProblem(error, "credentialId")}
        onChange={setCredentialId}
      />
      <Box>
        <Text fontSize="sm" mb="1" aria-hidden>
          Every
        </Text>
        <SelectField label="Every" value={String(everyMinutes)} onChoose={(value) => setEveryMinutes(Number(value))}>
          {[...new Set([...choices, everyMinutes])]
            .toSorted((a, b) => a - b)
            .map((minutes) => (
              <option key={minutes} value={minutes}>
                {formatEvery(minutes)}
              </option>
            ))}
        </SelectField>
      </Box>
      <Flex gap="2" justify="flex-end">
        {onCancel === undefined ? null : (
          <Button size="sm" variant="outline" onClick={onCancel}>
            Cancel
          </Button>
        )}
        <Button type="submit" size="sm" colorPalette="accent" loading={isPending} loadingText="Mirroring">
          Mirror
        </Button>
      </Flex>
    </chakra.form>
  );
}
