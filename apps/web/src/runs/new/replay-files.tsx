import { Box, Flex, Text, chakra } from "@chakra-ui/react";
import { History } from "lucide-react";
import { useEffect } from "react";
import { Link } from "react-router";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useRunFile, useRunFiles, useRuntimes } from "../queries.ts";
import { CodeEditor } from "../../editor/code-editor.tsx";
import { type Draft, openFile, type Replay, showFile } from "./draft.ts";

type OnDraft = (update: (draft: Draft | null) => Draft | null) => void;

/** More files than this are not offered to be edited here: the choice would be none. */
const mostOffered = 200;

interface ReplayBarProps {
  readonly draft: Draft;
  readonly replay: Replay;
  readonly onDraft: OnDraft;
}

/** Which run is repeated, and which of its files is in the editor. */
export function ReplayBar({ draft, replay, onDraft }: ReplayBarProps) {
  const files = useRunFiles(replay.runId);
  const open = openFile(draft) ?? replay.base.entrypoint;
  const paths = (files.data ?? []).map(({ path }) => path).slice(0, mostOffered);
  const shown = paths.includes(open) ? paths : [open, ...paths];
  const isChanged = (path: string) => (path === replay.base.entrypoint ? draft.code !== replay.base.code : path in replay.edited);
  return (
    <Flex
      align="center"
      columnGap="3"
      rowGap="1"
      px="3"
      py="1"
      wrap="wrap"
      borderBottomWidth="1px"
      borderColor="border"
      bg="bg.subtle"
      fontSize="xs"
    >
      <Flex align="center" gap="1.5" color="fg.muted">
        <Box as="span" aria-hidden>
          <History size={14} />
        </Box>
        <Text as="span">
          Repeats{" "}
          <Text as="span" textDecoration="underline" color="fg">
            <Link to={`/runs/${replay.runId}`}>{replay.runId.slice(-8)}</Link>
          </Text>
          {replay.program === null ? "" : ` of ${replay.program}`}
        </Text>
      </Flex>
      <Flex align="center" gap="1.5" minW="0" ml={{ base: "0", sm: "auto" }}>
        <chakra.span color="fg.muted" aria-hidden>
          File
        </chakra.span>
        <chakra.select
          aria-label="File"
          value={open}
          onChange={(event) => {
            const { value } = event.currentTarget;
            onDraft((before) => before && showFile(before, value));
          }}
          maxW="260px"
          h="7"
          px="1.5"
          rounded="sm"
          borderWidth="1px"
          borderColor="border"
          bg="bg.panel"
          fontFamily="mono"
        >
          {shown.map((path) => (
            <option key={path} value={path}>
              {path}
              {isChanged(path) ? " (changed)" : ""}
            </option>
          ))}
        </chakra.select>
      </Flex>
    </Flex>
  );
}

interface ReplayFileProps {
  readonly replay: Replay;
  readonly path: string;
  readonly onDraft: OnDraft;
  readonly goTo: { readonly line: number; readonly at: number } | null;
}

/** Another file of the repeated run, as it is changed for the next one. */
export function ReplayFile({ replay, path, onDraft, goTo }: ReplayFileProps) {
  const content = useRunFile(replay.runId, path, true);
  const runtimes = useRuntimes();
  const language = runtimes.data?.find(({ extensions }) => extensions.some((ending) => path.endsWith(ending)))?.name ?? "";
  const original = content.data;
  const missing = content.isError;
  useEffect(() => {
    // A file that is not there: an error may name one that the program has made.
    if (missing) onDraft((before) => before && showFile(before, before.replay?.base.entrypoint ?? ""));
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [missing]);
  if (content.isError) return <ErrorPanel error={content.error} />;
  if (original === undefined) return <SkeletonRows rows={6} />;
  const change = (text: string) =>
    onDraft((before) => {
      if (!before?.replay) return before;
      const { [path]: _before, ...others } = before.replay.edited;
      return { ...before, replay: { ...before.replay, edited: text === original ? others : { ...others, [path]: text } } };
    });
  return <CodeEditor value={replay.edited[path] ?? original} language={language} onChange={change} goTo={goTo} />;
}
