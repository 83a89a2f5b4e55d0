import { Box, Button, Flex, Heading } from "@chakra-ui/react";
import type { Runtime } from "@syla/sdk";
import { useMutation } from "@tanstack/react-query";
import { Play, Square } from "lucide-react";
import { type DragEvent, useEffect, useRef, useState } from "react";
import { errorCode } from "../../ui/describe-error.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { ShortcutKeys } from "../../ui/shortcut-keys.tsx";
import { findRuntime } from "../runtime-choice.ts";
import { useCancelRuns, useRun, useStartRun } from "../queries.ts";
import { isLive } from "../run-state.ts";
import { CodeEditor } from "../../editor/code-editor.tsx";
import { changeLanguage, type Draft, draftProblems, openFile, showFile, startOf } from "./draft.ts";
import { DraftOptions } from "./draft-options.tsx";
import { InstallHint, LanguagePicker } from "./language-picker.tsx";
import { ReplayBar, ReplayFile } from "./replay-files.tsx";
import { RunOutput } from "./run-output.tsx";
import { mergeFiles, type PickedFile, readDropped, uploadFiles } from "../../editor/upload-files.ts";

interface WorkbenchProps {
  readonly runtimes: readonly Runtime[];
  readonly draft: Draft;
  readonly onDraft: (update: (draft: Draft | null) => Draft | null) => void;
  readonly runId: string;
  /** The line to begin at. */
  readonly line: number | null;
  readonly onRun: (id: string) => void;
}

/** The editor on one side, the output on the other. */
export function Workbench({ runtimes, draft, onDraft, runId, line, onRun }: WorkbenchProps) {
  const [goTo, setGoTo] = useState<{ line: number; at: number } | null>(line === null ? null : { line, at: 0 });
  const create = useStartRun();
  const open = openFile(draft);
  const current = useRun(runId);
  const live = current.data !== undefined && isLive(current.data);
  const change = (next: Draft) => onDraft(() => next);
  const upload = useMutation({
    mutationFn: (picked: readonly PickedFile[]) => uploadFiles(picked),
    onSuccess: (added) => onDraft((before) => before && { ...before, files: mergeFiles(before.files, added) }),
  });
  const problems = draftProblems(draft);
  const runtime = findRuntime(runtimes, draft.language);
  const blocked = Object.keys(problems).length > 0 || create.isPending || upload.isPending;
  const drop = useDrop(upload.mutate);
  const output = useRef<HTMLDivElement>(null);
  const run = () => {
    if (blocked || live) return;
    // On a small screen the output stands below the editor.
    output.current?.scrollIntoView({ block: "nearest", behavior: "smooth" });
    create.mutate(startOf(draft), { onSuccess: (started) => onRun(started.id) });
  };
  useRunKey(run);
  return (
    <Flex
      direction={{ base: "column", lg: "row" }}
      h="100%"
      overflowY={{ base: "auto", lg: "hidden" }}
      outline={drop.over ? "2px dashed {colors.accent.solid}" : undefined}
      outlineOffset="-4px"
      {...drop.handlers}
    >
      <Heading as="h1" srOnly>
        New run
      </Heading>
      <Flex
        direction="column"
        flex={{ base: "0 0 auto", lg: "1 1 50%" }}
        h={{ base: "72%", lg: "100%" }}
        minH={{ base: "420px", lg: "0" }}
        minW="0"
        borderRightWidth={{ lg: "1px" }}
        borderColor="border"
      >
        <Flex align="center" gap="2" px="3" h="10" flexShrink="0" borderBottomWidth="1px" borderColor="border">
          <LanguagePicker runtimes={runtimes} value={draft.language} onChange={(name) => change(changeLanguage(draft, runtimes, name))} />
          <Flex ml="auto" gap="2">
            {live ? (
              <StopButton runId={runId} />
            ) : (
              <Button
                size="xs"
                colorPalette="accent"
                loading={create.isPending}
                loadingText="Run"
                disabled={blocked}
                onClick={run}
                aria-keyshortcuts="Control+Enter Meta+Enter"
              >
                <Play aria-hidden /> Run
                <Box as="span" hideBelow="sm">
                  <ShortcutKeys keys={["mod", "enter"]} />
                </Box>
              </Button>
            )}
          </Flex>
        </Flex>
        {runtime && !runtime.available ? <InstallHint runtime={runtime} /> : null}
        {upload.isError ? <ErrorPanel error={upload.error} onRetry={() => upload.variables && upload.mutate(upload.variables)} /> : null}
        {draft.replay === null ? null : <ReplayBar draft={draft} replay={draft.replay} onDraft={onDraft} />}
        <Box flex="1" minH="0">
          {draft.replay === null || open === null ? (
            <CodeEditor
              value={draft.code}
              language={draft.language}
              onChange={(code) => onDraft((before) => before && { ...before, code })}
              goTo={goTo}
            />
          ) : (
            <ReplayFile key={open} replay={draft.replay} path={open} onDraft={onDraft} goTo={goTo} />
          )}
        </Box>
        <DraftOptions
          draft={draft}
          problems={problems}
          defaultEntrypoint={runtime?.defaultEntrypoint ?? "main"}
          uploading={upload.isPending}
          onChange={change}
          onAddFiles={upload.mutate}
        />
      </Flex>
      <Box
        ref={output}
        flex={{ base: "0 0 auto", lg: "1 1 50%" }}
        h={{ base: "60%", lg: "100%" }}
        minH={{ base: "320px", lg: "0" }}
        minW="0"
        borderTopWidth={{ base: "1px", lg: "0" }}
        borderColor="border"
      >
        <RunOutput
          runId={runId}
          reused={create.data?.cached === true}
          failure={create.error && errorCode(create.error) !== "unauthenticated" ? create.error : null}
          onLocation={(path, at) => {
            onDraft((before) => before && showFile(before, path));
            setGoTo({ line: at, at: Date.now() });
          }}
        />
      </Box>
    </Flex>
  );
}

function StopButton({ runId }: { readonly runId: string }) {
  const cancel = useCancelRuns();
  return (
    <Button size="xs" variant="outline" loading={cancel.isPending} loadingText="Cancel" onClick={() => cancel.mutate([runId])}>
      <Square aria-hidden /> Cancel
    </Button>
  );
}

/** Ctrl+Enter or Cmd+Enter runs, wherever on the page one is. */
function useRunKey(run: () => void): void {
  const current = useRef(run);
  useEffect(() => {
    current.current = run;
  });
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
      event.preventDefault();
      event.stopPropagation();
      current.current();
    };
    window.addEventListener("keydown", onKeyDown, { capture: true });
    return () => window.removeEventListener("keydown", onKeyDown, { capture: true });
  }, []);
}

/** Files and folders can be dropped anywhere on the page; a frame says so while they hang over it. */
function useDrop(onFiles: (picked: Awaited<ReturnType<typeof readDropped>>) => void) {
  const [over, setOver] = useState(false);
  const carriesFiles = (event: DragEvent) => event.dataTransfer.types.includes("Files");
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!(event.relatedTarget instanceof Node && event.currentTarget.contains(event.relatedTarget))) setOver(false);
    },
    // Taken before the editor sees it, which would paste the file's text.
    onDropCapture: (event: DragEvent) => {
      if (!carriesFiles(event)) return;
      event.preventDefault();
      event.stopPropagation();
      setOver(false);
      void readDropped(event.dataTransfer).then((picked) => picked.length > 0 && onFiles(picked));
    },
  };
  return { over, handlers };
}
