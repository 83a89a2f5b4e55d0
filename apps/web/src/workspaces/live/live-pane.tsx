import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { SylaError } from "@syla/sdk";
import { Check, CloudOff, LoaderCircle, Lock } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { syla } from "../../app/api.ts";
import { useUnsavedWarning } from "../../editor/use-saving.ts";
import "../../editor/code-editor.css";
import { baseExtensions, languageOfPath, languageSupport } from "../../editor/editor-setup.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { liveExtensions } from "./live-extensions.ts";
import type { LiveFile } from "./live-file.ts";
import type { LiveSession } from "./live-session.ts";
import { useLiveSession } from "./use-live-session.ts";

interface LivePaneProps {
  readonly workspaceId: string;
  readonly path: string;
  readonly session: LiveSession;
  /** The file is somewhere else by now. */
  readonly onMoved: (path: string) => void;
  /** What is shown of a file that cannot be edited together. */
  readonly children: ReactNode;
}

/** A file as several people edit it at once. */
export function LivePane({ workspaceId, path, session, onMoved, children }: LivePaneProps) {
  const [attempt, setAttempt] = useState(0);
  const opened = useOpenFile(session, path, attempt);
  if (opened === null) return <SkeletonRows rows={4} />;
  if ("error" in opened) {
    const { error } = opened;
    if (error instanceof SylaError && (error.code.startsWith("live_") || error.code === "workspace_archived")) return children;
    return <ErrorPanel error={error} onRetry={() => setAttempt(attempt + 1)} />;
  }
  return <Opened workspaceId={workspaceId} file={opened.file} onMoved={onMoved} onReload={() => setAttempt(attempt + 1)} />;
}

/** Opens a file, and closes it when another one is wanted. */
function useOpenFile(session: LiveSession, path: string, attempt: number): { file: LiveFile } | { error: unknown } | null {
  const [opened, setOpened] = useState<{ file: LiveFile } | { error: unknown } | null>(null);
  const current = useRef<LiveFile | null>(null);
  useEffect(() => {
    // A file that was moved is the same one.
    if (current.current?.path === path && attempt === 0) return;
    let isOver = false;
    current.current?.close();
    current.current = null;
    setOpened(null);
    const open = async () => {
      try {
        const file = await session.open(path);
        if (isOver) return file.close();
        current.current = file;
        setOpened({ file });
      } catch (error) {
        if (!isOver) setOpened({ error });
      }
    };
    void open();
    return () => {
      isOver = true;
    };
  }, [session, path, attempt]);
  useEffect(
    () => () => {
      current.current?.close();
      current.current = null;
    },
    [session],
  );
  return opened;
}

interface OpenedProps {
  readonly workspaceId: string;
  readonly file: LiveFile;
  readonly onMoved: (path: string) => void;
  readonly onReload: () => void;
}

function Opened({ workspaceId, file, onMoved, onReload }: OpenedProps) {
  const state = useSyncExternalStore(file.subscribe, file.snapshot);
  const { path } = file;
  const moved = useRef(onMoved);
  const first = useRef(path);
  useEffect(() => {
    moved.current = onMoved;
  });
  useEffect(() => {
    if (path === first.current) return;
    first.current = path;
    moved.current(path);
  }, [path]);
  useUnsavedWarning(!state.isSaved && state.refused === null);
  const putBack = async () => {
    const { revision } = await syla.workspaces.get(workspaceId);
    await syla.workspaces.changeFiles(
      workspaceId,
      [{ op: "write", file: { path, content: file.text.toJSON(), executable: false } }],
      revision,
    );
  };
  const { refused } = state;
  return (
    <Flex direction="column" h="100%" minH="0">
      {refused === null ? null : (
        <Banner text={`${refused} What you have written since is only here.`}>
          <Button size="xs" variant="outline" onClick={() => void navigator.clipboard.writeText(file.text.toJSON())}>
            Copy the text
          </Button>
          <Button size="xs" variant="outline" onClick={onReload}>
            Discard and reload
          </Button>
        </Banner>
      )}
      {state.isDetached ? (
        <Banner text="Somebody has deleted this file. What is written here is kept for 30 days.">
          <Button size="xs" variant="outline" onClick={() => void putBack()}>
            Put it back
          </Button>
        </Banner>
      ) : null}
      {state.problem === null ? null : <Banner text={`What is written is kept, and not in the files yet: ${state.problem}`} />}
      <Box flex="1" minH="0">
        {state.isLoaded ? <Editor file={file} readOnly={!state.mayEdit || refused !== null} /> : <SkeletonRows rows={4} />}
      </Box>
      <SavedLine file={file} />
    </Flex>
  );
}

function Banner({ text, children }: { readonly text: string; readonly children?: ReactNode }) {
  return (
    <Flex role="status" align="center" gap="2" wrap="wrap" px="4" py="2" bg="bg.warning" borderBottomWidth="1px" borderColor="border">
      <Text fontSize="sm" flex="1" minW="200px">
        {text}
      </Text>
      {children}
    </Flex>
  );
}

/** How what is written here stands with the server, in words. */
function SavedLine({ file }: { readonly file: LiveFile }) {
  const { isSaved, mayEdit } = useSyncExternalStore(file.subscribe, file.snapshot);
  const { live } = useLiveSession();
  const [icon, words] = describe(live.connection, isSaved, mayEdit);
  return (
    <Flex
      align="center"
      gap="1.5"
      px="4"
      py="1"
      fontSize="xs"
      color="fg.muted"
      borderTopWidth="1px"
      borderColor="border"
      css={{ "& svg": { w: "3.5", h: "3.5" } }}
      aria-live="polite"
    >
      {icon}
      {words}
    </Flex>
  );
}

function describe(connection: "connecting" | "connected" | "ended", isSaved: boolean, mayEdit: boolean): [ReactNode, string] {
  if (connection === "ended") return [<Lock key="icon" aria-hidden />, "Your access to this workspace has ended"];
  if (connection === "connecting")
    return [
      <CloudOff key="icon" aria-hidden />,
      isSaved ? "Connecting…" : "No connection: what you write is kept here, and put together with theirs later",
    ];
  if (!mayEdit) return [<Lock key="icon" aria-hidden />, "You may read this file"];
  return isSaved ? [<Check key="icon" aria-hidden />, "Saved"] : [<LoaderCircle key="icon" aria-hidden />, "Saving…"];
}

/** CodeMirror on a live file: the text flows both ways by itself. */
function Editor({ file, readOnly }: { readonly file: LiveFile; readonly readOnly: boolean }) {
  const host = useRef<HTMLDivElement>(null);
  const [slot] = useState(() => new Compartment());
  const view = useRef<EditorView | null>(null);
  useEffect(() => {
    if (host.current === null) return;
    const extensions = [liveExtensions(file), baseExtensions(() => {}), languageSupport(languageOfPath(file.path)), slot.of([])];
    const made = new EditorView({ parent: host.current, state: EditorState.create({ doc: file.text.toJSON(), extensions }) });
    view.current = made;
    made.focus();
    return () => made.destroy();
  }, [file, slot]);
  useEffect(() => {
    view.current?.dispatch({ effects: slot.reconfigure(EditorState.readOnly.of(readOnly)) });
  }, [readOnly, slot]);
  return <Box ref={host} className="code-editor" h="100%" minH="0" overflow="hidden" />;
}
