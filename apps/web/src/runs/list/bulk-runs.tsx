import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { BulkAction, BulkRunsInputDraft, RunSummary } from "@syla/sdk";
import { Columns2, RotateCw, Square, Trash2, X } from "lucide-react";
import { useState } from "react";
import { Link } from "react-router";
import { useMe } from "../../accounts/queries.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatPlural } from "../../ui/format.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { Modal } from "../../ui/modal.tsx";
import { type BulkProgress, useBulkRuns } from "../queries.ts";
import { isLive } from "../run-state.ts";
import { type RunListFilter, runListQuery } from "./run-filter.ts";

interface BulkRunsProps {
  readonly runs: readonly RunSummary[];
  readonly selected: ReadonlySet<string>;
  readonly filter: RunListFilter;
  /** There are more runs than are shown. */
  readonly hasMore: boolean;
  readonly onSelect: (selected: ReadonlySet<string>) => void;
}

/** As many as one request may name. */
const mostNamed = 1000;
const mostTold = 5;

/** What can be done with the runs that are selected, or with all that the filter finds. */
export function BulkRuns({ runs, selected, filter, hasMore, onSelect }: BulkRunsProps) {
  const isAdmin = useMe().data?.role === "admin";
  const [everything, setEverything] = useState(false);
  const [deleting, setDeleting] = useState(false);
  const [progress, setProgress] = useState<BulkProgress | null>(null);
  const bulk = useBulkRuns(setProgress);
  const chosen = runs.filter(({ id }) => selected.has(id)).slice(0, mostNamed);
  const whole = everything && chosen.length > 0 && chosen.length === runs.length;
  const perform = (action: BulkAction, ids: readonly string[]) => {
    setProgress(null);
    setDeleting(false);
    const { limit: _limit, ...found } = runListQuery(filter, Date.now(), isAdmin);
    const input: BulkRunsInputDraft = whole ? { action, filter: found } : { action, ids: [...ids] };
    bulk.mutate(input, { onSuccess: () => onSelect(new Set()), onSettled: () => setEverything(false) });
  };
  const live = chosen.filter(isLive).map(({ id }) => id);
  const ended = chosen.filter((run) => !isLive(run)).map(({ id }) => id);
  const [first, second] = chosen;
  if (chosen.length === 0 && progress === null && !bulk.isError) return null;
  return (
    <Box role="region" aria-label="Selection" mb="3" borderWidth="1px" borderColor="accent.border" rounded="md" bg="accent.subtle">
      <Flex align="center" gap="2" px="3" py="1.5" wrap="wrap">
        <Text fontWeight="medium" role="status">
          {bulk.isPending || chosen.length === 0
            ? describeProgress(progress, bulk.isPending)
            : whole
              ? "Every run that the filter finds is selected"
              : `${formatPlural(chosen.length, "run")} selected`}
        </Text>
        {chosen.length === runs.length && hasMore && !whole && !bulk.isPending ? (
          <Button size="xs" variant="plain" textDecoration="underline" onClick={() => setEverything(true)}>
            Select all that the filter finds
          </Button>
        ) : null}
        <Flex ml={{ base: "0", sm: "auto" }} gap="1.5" wrap="wrap">
          {chosen.length === 2 && first && second ? (
            <Button asChild size="xs" variant="outline">
              {/* The older one first: the list begins with the newest. */}
              <Link to={`/runs/${second.id}/compare/${first.id}`}>
                <Columns2 aria-hidden /> Compare
              </Link>
            </Button>
          ) : null}
          {live.length > 0 || whole ? (
            <Button size="xs" variant="outline" disabled={bulk.isPending} onClick={() => perform("cancel", live)}>
              <Square aria-hidden /> Cancel {whole ? "" : formatPlural(live.length, "run")}
            </Button>
          ) : null}
          {ended.length > 0 || whole ? (
            <>
              <Button size="xs" variant="outline" disabled={bulk.isPending} onClick={() => perform("retry", ended)}>
                <RotateCw aria-hidden /> Retry {whole ? "" : formatPlural(ended.length, "run")}
              </Button>
              <Button size="xs" variant="outline" disabled={bulk.isPending} onClick={() => setDeleting(true)}>
                <Trash2 aria-hidden /> Delete {whole ? "" : formatPlural(ended.length, "run")}
              </Button>
            </>
          ) : null}
          <IconButton
            label="Select nothing"
            onClick={() => {
              onSelect(new Set());
              setProgress(null);
              bulk.reset();
            }}
          >
            <X />
          </IconButton>
        </Flex>
      </Flex>
      {progress !== null && progress.refused.length > 0 ? (
        <Box as="ul" role="alert" px="3" pb="2" fontSize="xs" color="fg.error" listStyleType="none">
          {progress.refused.slice(0, mostTold).map(({ id, message }) => (
            <li key={id}>
              {id.slice(-8)}: {message}
            </li>
          ))}
          {progress.refused.length > mostTold ? <li>and {progress.refused.length - mostTold} more</li> : null}
        </Box>
      ) : null}
      {bulk.error ? <ErrorPanel error={bulk.error} /> : null}
      {deleting ? (
        <Modal
          label={whole ? "Delete every run that has ended?" : `Delete ${formatPlural(ended.length, "run")}?`}
          onClose={() => setDeleting(false)}
        >
          <Flex direction="column" gap="3" p="4">
            <Text>Logs, artifacts and links go with them. They cannot be brought back; what they cost stays counted.</Text>
            <Flex justify="flex-end" gap="2">
              <Button size="sm" variant="outline" onClick={() => setDeleting(false)}>
                Keep
              </Button>
              <Button size="sm" colorPalette="red" onClick={() => perform("delete", ended)}>
                Delete
              </Button>
            </Flex>
          </Flex>
        </Modal>
      ) : null}
    </Box>
  );
}

function describeProgress(progress: BulkProgress | null, pending: boolean): string {
  if (progress === null) return pending ? "Working…" : "";
  const { done, refused, remaining } = progress;
  const parts = [`${formatPlural(done, "run")} done`];
  if (refused.length > 0) parts.push(`${refused.length} refused`);
  if (pending && remaining > 0) parts.push(`${remaining} left`);
  return parts.join(", ");
}
