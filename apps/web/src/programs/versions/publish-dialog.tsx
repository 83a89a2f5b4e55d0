import { Button, Flex, Text } from "@chakra-ui/react";
import type { Asset } from "@syla/sdk";
import { type FormEvent, useState } from "react";
import { fieldProblem } from "../../ui/describe-error.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { FilterChip } from "../../ui/filter-chip.tsx";
import { TextAreaField, TextField } from "../../ui/form-field.tsx";
import { Modal } from "../../ui/modal.tsx";
import { usePublish, useVersions } from "../queries.ts";

interface PublishDialogProps {
  readonly asset: Asset;
  /** Saves what is not saved before, and answers the revision that is there then; null: somebody has to be asked first. */
  readonly save?: () => Promise<number | null>;
  readonly onClose: () => void;
}

/** Publishes what is saved now as a version, or, with `save`, what is being edited. */
export function PublishDialog({ asset, save, onClose }: PublishDialogProps) {
  const versions = useVersions(asset.id);
  const publish = usePublish(asset.id);
  const [typed, setTyped] = useState<string | null>(null);
  const [message, setMessage] = useState("");
  const [saving, setSaving] = useState(false);
  const [unsaved, setUnsaved] = useState<unknown>(null);
  const next = versions.data?.next;
  const version = typed ?? next?.patch ?? "";
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    const saved = save === undefined ? Promise.resolve(asset.revision) : save();
    setSaving(true);
    void saved
      .then((revision) => {
        if (revision === null) onClose();
        else publish.mutate({ version, message, revision }, { onSuccess: onClose });
      })
      .catch(setUnsaved)
      .finally(() => setSaving(false));
  };
  const problem = fieldProblem(publish.error, "version");
  return (
    <Modal label={save === undefined ? "Publish a version" : "Save as version"} onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <Text color="fg.muted">
          A version is what is {save === undefined ? "saved now" : "there now, with what you have written"}: files and settings. It never
          changes.
        </Text>
        <TextField
          label="Version"
          required
          autoFocus
          fontFamily="mono"
          value={version}
          onChange={(event) => setTyped(event.currentTarget.value)}
          problem={problem}
        />
        {next === undefined ? null : (
          <Flex gap="1.5" role="group" aria-label="The next version">
            {[
              ...new Map([
                [next.patch, "patch"],
                [next.minor, "minor"],
                [next.major, "major"],
              ] as const),
            ].map(([number, kind]) => (
              <FilterChip key={number} pressed={version === number} onClick={() => setTyped(number)}>
                {number} ({kind})
              </FilterChip>
            ))}
          </Flex>
        )}
        <TextAreaField
          label="What has changed"
          rows={3}
          maxLength={2000}
          value={message}
          onChange={(event) => setMessage(event.currentTarget.value)}
        />
        {publish.error && problem === null ? <ErrorPanel error={publish.error} /> : null}
        {unsaved === null ? null : <ErrorPanel error={unsaved} />}
        <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={saving || publish.isPending}>
          {save === undefined ? "Publish" : "Save and publish"}
        </Button>
      </Flex>
    </Modal>
  );
}
