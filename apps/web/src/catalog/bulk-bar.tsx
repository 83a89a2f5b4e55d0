import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { AccessLevel, AssetSummary, BulkResult } from "@syla/sdk";
import { useMutation } from "@tanstack/react-query";
import { Download, RotateCcw, Share2, Tag, Trash2, X } from "lucide-react";
import { type FormEvent, useState } from "react";
import { LevelSelect } from "../access/levels.tsx";
import { syla } from "../app/api.ts";
import { saveAs } from "../ui/download-button.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { formatPlural } from "../ui/format.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { Modal } from "../ui/modal.tsx";
import type { CatalogView } from "./catalog-filter.ts";
import { useChangeAssets } from "./queries.ts";

interface BulkBarProps {
  readonly assets: readonly AssetSummary[];
  readonly view: CatalogView;
  /** Reads the rest of the list and selects all of it; null: there is no more, or not all of what is shown is selected. */
  readonly onSelectRest: (() => void) | null;
  readonly isSelectingRest: boolean;
  readonly onDone: () => void;
}

type Dialog = "none" | "tag" | "share" | "delete";

/** What can be done with what is selected. Each asset's refusal is told by its name. */
export function BulkBar({ assets, view, onSelectRest, isSelectingRest, onDone }: BulkBarProps) {
  const change = useChangeAssets();
  const [dialog, setDialog] = useState<Dialog>("none");
  const [refused, setRefused] = useState<readonly BulkResult[]>([]);
  const ids = assets.map((asset) => asset.id);
  const run = (input: Parameters<typeof change.mutate>[0]) =>
    change.mutate(input, {
      onSuccess: (results) => {
        const failed = results.filter((result) => !result.ok);
        setRefused(failed);
        setDialog("none");
        if (failed.length === 0) onDone();
      },
    });
  return (
    <Box role="region" aria-label="Selection" mb="3" borderWidth="1px" borderColor="accent.border" rounded="md" bg="accent.subtle">
      <Flex align="center" gap="2" px="3" py="1.5" wrap="wrap">
        <Text fontWeight="medium" role="status">
          {formatPlural(assets.length, "asset")} selected
        </Text>
        {onSelectRest === null ? null : (
          <Button size="xs" variant="ghost" loading={isSelectingRest} loadingText="Reading the rest" onClick={onSelectRest}>
            Select everything that matches
          </Button>
        )}
        <Flex ml={{ base: "0", sm: "auto" }} gap="1.5" wrap="wrap">
          {view === "deleted" ? (
            <Button size="xs" variant="outline" loading={change.isPending} onClick={() => run({ action: "restore", ids })}>
              <RotateCcw aria-hidden /> Restore
            </Button>
          ) : (
            <>
              <Button size="xs" variant="outline" onClick={() => setDialog("tag")}>
                <Tag aria-hidden /> Tag
              </Button>
              <Button size="xs" variant="outline" onClick={() => setDialog("share")}>
                <Share2 aria-hidden /> Share
              </Button>
              <ExportButton ids={ids} />
              <Button size="xs" variant="outline" onClick={() => setDialog("delete")}>
                <Trash2 aria-hidden /> Delete
              </Button>
            </>
          )}
          <IconButton label="Select nothing" onClick={onDone}>
            <X />
          </IconButton>
        </Flex>
      </Flex>
      {refused.length > 0 ? <Refusals refused={refused} assets={assets} /> : null}
      {change.error ? <ErrorPanel error={change.error} /> : null}
      {dialog === "tag" ? (
        <TagDialog
          onClose={() => setDialog("none")}
          busy={change.isPending}
          onTag={(add, remove) => run({ action: "tag", ids, add, remove })}
        />
      ) : null}
      {dialog === "share" ? (
        <ShareDialog
          onClose={() => setDialog("none")}
          busy={change.isPending}
          onShare={(email, level) => run({ action: "share", ids, email, level })}
        />
      ) : null}
      {dialog === "delete" ? (
        <Modal label={`Delete ${formatPlural(assets.length, "asset")}?`} onClose={() => setDialog("none")}>
          <Flex direction="column" gap="3" p="4">
            <Text>They can be restored for 30 days. Whoever uses them loses them at once.</Text>
            <Flex justify="flex-end" gap="2">
              <Button size="sm" variant="outline" onClick={() => setDialog("none")}>
                Keep
              </Button>
              <Button size="sm" colorPalette="red" loading={change.isPending} onClick={() => run({ action: "delete", ids })}>
                Delete
              </Button>
            </Flex>
          </Flex>
        </Modal>
      ) : null}
    </Box>
  );
}

/** A link, which the browser follows by itself; more than an address can name is asked for and kept. */
function ExportButton({ ids }: { readonly ids: readonly string[] }) {
  const url = syla.assets.exportUrl(ids);
  const load = useMutation({
    mutationFn: async () => saveAs(await (await syla.assets.export(ids)).blob(), "assets.zip"),
  });
  if (url !== null)
    return (
      <Button size="xs" variant="outline" asChild>
        <a href={url} download>
          <Download aria-hidden /> Export
        </a>
      </Button>
    );
  return (
    <Button size="xs" variant="outline" loading={load.isPending} onClick={() => load.mutate()}>
      <Download aria-hidden /> {load.isError ? "Export: it did not work, try again" : "Export"}
    </Button>
  );
}

function Refusals({ refused, assets }: { readonly refused: readonly BulkResult[]; readonly assets: readonly AssetSummary[] }) {
  return (
    <Box as="ul" role="alert" px="3" pb="2" fontSize="xs" color="fg.error" listStyleType="none">
      {refused.map(({ id, error }) => (
        <li key={id}>
          {assets.find((asset) => asset.id === id)?.name ?? id}: {error?.message}
        </li>
      ))}
    </Box>
  );
}

const wordsOf = (text: string) =>
  text
    .toLowerCase()
    .split(/[\s,]+/)
    .filter((word) => word !== "");

interface TagDialogProps {
  readonly onClose: () => void;
  readonly busy: boolean;
  readonly onTag: (add: string[], remove: string[]) => void;
}

function TagDialog({ onClose, busy, onTag }: TagDialogProps) {
  const [add, setAdd] = useState("");
  const [remove, setRemove] = useState("");
  const bad = [...wordsOf(add), ...wordsOf(remove)].find((word) => !/^[a-z0-9-]{1,30}$/.test(word));
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    if (bad === undefined) onTag(wordsOf(add), wordsOf(remove));
  };
  return (
    <Modal label="Tag" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField label="Add" placeholder="weather, demo" value={add} onChange={(event) => setAdd(event.currentTarget.value)} autoFocus />
        <TextField
          label="Remove"
          value={remove}
          onChange={(event) => setRemove(event.currentTarget.value)}
          help="Letters, digits and hyphens; ten tags at most."
          problem={bad === undefined ? null : `“${bad}” is no tag: letters, digits and hyphens, at most 30.`}
        />
        <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={busy}>
          Tag
        </Button>
      </Flex>
    </Modal>
  );
}

interface BulkShareProps {
  readonly onClose: () => void;
  readonly busy: boolean;
  readonly onShare: (email: string, level: AccessLevel) => void;
}

function ShareDialog({ onClose, busy, onShare }: BulkShareProps) {
  const [email, setEmail] = useState("");
  const [level, setLevel] = useState<AccessLevel>("view");
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    onShare(email, level);
  };
  return (
    <Modal label="Share" onClose={onClose}>
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <TextField
          label="E-mail address"
          type="email"
          required
          autoFocus
          value={email}
          onChange={(event) => setEmail(event.currentTarget.value)}
        />
        <LevelSelect type="asset" label="Level" value={level} onChoose={setLevel} />
        <Button alignSelf="flex-end" type="submit" size="sm" colorPalette="accent" loading={busy}>
          Share
        </Button>
      </Flex>
    </Modal>
  );
}
