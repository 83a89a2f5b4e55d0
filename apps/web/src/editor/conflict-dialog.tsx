import { Box, Button, Flex, Heading, Text } from "@chakra-ui/react";
import { useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { MergeView } from "./merge-view.tsx";

/** A file that was changed here and, since, by somebody else. `theirs` null: they have deleted it, or made it something that is no text. */
export interface Conflict {
  readonly path: string;
  readonly mine: string;
  readonly theirs: string | null;
}

interface ConflictDialogProps {
  readonly conflicts: readonly Conflict[];
  readonly onSettle: (decided: ReadonlyMap<string, string | null>) => Promise<void>;
  /** Keeps one's own lines, and theirs wherever only they have changed something; left out where nothing puts both together. */
  readonly onKeepMine?: () => Promise<void>;
  readonly onClose: () => void;
}

/** Shows how one's own text differs from what somebody else has saved meanwhile, and lets one decide. */
export function ConflictDialog({ conflicts, onSettle, onKeepMine, onClose }: ConflictDialogProps) {
  const [texts, setTexts] = useState<ReadonlyMap<string, string>>(new Map());
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const attempt = (work: () => Promise<void>) => {
    setBusy(true);
    work()
      .catch(setError)
      .finally(() => setBusy(false));
  };
  const settle = (textOf: (conflict: Conflict) => string | null) =>
    attempt(() => onSettle(new Map(conflicts.map((conflict) => [conflict.path, textOf(conflict)]))));
  return (
    <Modal label="Somebody else has changed this" width="60rem" onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>
          Since you opened {conflicts.length === 1 ? "this file" : "these files"}, another version was saved. Below is what yours would
          change in it. Take or leave each difference, or write on; then save what you see.
        </Text>
        {conflicts.map((conflict) => (
          <Box key={conflict.path} borderWidth="1px" borderColor="border" rounded="md" overflow="hidden">
            <Heading as="h3" fontSize="xs" fontFamily="mono" px="3" py="2" bg="bg.subtle">
              {conflict.path}
            </Heading>
            {conflict.theirs === null ? (
              <Text px="3" py="2" color="fg.muted">
                It was deleted, or is no text any more. Saving yours brings it back.
              </Text>
            ) : (
              <MergeView
                path={conflict.path}
                before={conflict.theirs}
                after={conflict.mine}
                onChange={(text) => setTexts((before) => new Map(before).set(conflict.path, text))}
              />
            )}
          </Box>
        ))}
        {error ? <ErrorPanel error={error} /> : null}
        <Flex justify="flex-end" gap="2" wrap="wrap">
          <Button size="sm" variant="outline" onClick={onClose}>
            Go on editing
          </Button>
          <Button size="sm" variant="outline" disabled={busy} onClick={() => settle(() => null)}>
            Take theirs
          </Button>
          {onKeepMine === undefined ? null : (
            <Button size="sm" variant="outline" disabled={busy} onClick={() => attempt(onKeepMine)}>
              Keep mine
            </Button>
          )}
          <Button size="sm" colorPalette="accent" loading={busy} onClick={() => settle(({ path, mine }) => texts.get(path) ?? mine)}>
            Save what is shown
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}
