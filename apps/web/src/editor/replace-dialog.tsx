import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { createLineFinder, replaceFound } from "@syla/contracts/file-search";
import type { FoundFile } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { CheckBox } from "../ui/check-box.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { MergeView } from "./merge-view.tsx";
import type { SearchWish } from "./search-panel.tsx";

/** One after another, a few at a time: each is an editor. */
const shownAtOnce = 10;

interface ReplaceDialogProps {
  readonly files: readonly FoundFile[];
  readonly wish: SearchWish;
  readonly replacement: string;
  readonly textOf: (path: string, sha256: string) => Promise<string | null>;
  readonly onReplace: (texts: ReadonlyMap<string, string>) => Promise<void>;
  readonly onClose: () => void;
}

interface Replaced {
  readonly path: string;
  readonly before: string;
  readonly after: string;
  readonly count: number;
}

/** Shows what replacing would change, file by file, and does it as one change. */
export function ReplaceDialog({ files, wish, replacement, textOf, onReplace, onClose }: ReplaceDialogProps) {
  const [leftOut, setLeftOut] = useState<ReadonlySet<string>>(new Set());
  const [shown, setShown] = useState(shownAtOnce);
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const replaced = useQuery({
    queryKey: ["replace", files, wish, replacement],
    queryFn: () => replaceAll(files, wish, replacement, textOf),
    gcTime: 0,
  });
  const chosen = (replaced.data ?? []).filter(({ path }) => !leftOut.has(path));
  const count = chosen.reduce((sum, file) => sum + file.count, 0);
  const unread = files.length - (replaced.data?.length ?? files.length);
  const replace = () => {
    setBusy(true);
    onReplace(new Map(chosen.map(({ path, after }) => [path, after])))
      .then(onClose)
      .catch(setError)
      .finally(() => setBusy(false));
  };
  return (
    <Modal label="Replace in files" width="60rem" onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        {replaced.isError ? <ErrorPanel error={replaced.error} onRetry={() => void replaced.refetch()} /> : null}
        {replaced.isPending ? <SkeletonRows rows={4} /> : null}
        {replaced.data?.slice(0, shown).map(({ path, before, after, count: times }) => (
          <Box key={path} borderWidth="1px" borderColor="border" rounded="md" overflow="hidden">
            <Flex as="label" align="center" gap="2" px="3" py="1.5" bg="bg.subtle" fontSize="xs" fontFamily="mono">
              <CheckBox
                checked={!leftOut.has(path)}
                onChange={() =>
                  setLeftOut((now) => (now.has(path) ? new Set([...now].filter((other) => other !== path)) : new Set([...now, path])))
                }
              />
              {path} ({times})
            </Flex>
            <MergeView path={path} before={before} after={after} />
          </Box>
        ))}
        {(replaced.data?.length ?? 0) > shown ? (
          <Button size="xs" variant="outline" alignSelf="center" onClick={() => setShown(shown + shownAtOnce)}>
            Show more files
          </Button>
        ) : null}
        {unread > 0 ? <Text color="fg.muted">{formatPlural(unread, "file")} stay as they are: too large to be edited here.</Text> : null}
        {error ? <ErrorPanel error={error} /> : null}
        <Flex justify="flex-end" gap="2">
          <Button size="sm" variant="outline" onClick={onClose}>
            Cancel
          </Button>
          <Button size="sm" colorPalette="accent" loading={busy} disabled={chosen.length === 0} onClick={replace}>
            Replace {formatPlural(count, "place")} in {formatPlural(chosen.length, "file")}
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

async function replaceAll(
  files: readonly FoundFile[],
  wish: SearchWish,
  replacement: string,
  textOf: ReplaceDialogProps["textOf"],
): Promise<readonly Replaced[]> {
  const find = await createLineFinder(wish);
  const made: Replaced[] = [];
  for (const { path, sha256 } of files) {
    const before = await textOf(path, sha256);
    if (before === null) continue;
    const { text, count } = replaceFound(before, find, replacement);
    made.push({ path, before, after: text, count });
  }
  return made;
}
