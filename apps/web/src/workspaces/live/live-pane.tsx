import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { Compartment, EditorState } from "@codemirror/state";
import { EditorView } from "@codemirror/view";
import { type AnalysisProblem, SylaError } from "@syla/sdk";
import { Check, CloudOff, LoaderCircle, Lock } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { useUnsavedWarning } from "../../editor/use-saving.ts";
import "../../editor/code-editor.css";
import { goToLine, type GoTo } from "../../editor/code-editor.tsx";
import { baseExtensions, languageOfPath, languageSupport } from "../../editor/editor-setup.ts";
import { markProblems } from "../../editor/problem-marks.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { followCursor } from "./follow-cursor.ts";
import { liveExtensions } from "./live-extensions.ts";
import type { LiveFile } from "./live-file.ts";
import type { LiveSession, Other } from "./live-session.ts";
import { useFollow } from "./use-follow.ts";
import { useLiveSession } from "./use-live-session.ts";

interface LivePaneProps {
  readonly workspaceId: string;
  readonly path: string;
  readonly session: LiveSession;
  /** A line to go to; another object is a new wish. */
  readonly goTo: GoTo | null;
  /** Is marked at its places; null leaves the marks as they are. */
  readonly problems: readonly AnalysisProblem[] | null;
  /** The file is somewhere else by now. */
  readonly onMoved: (path: string) => void;
  /** What is shown of a file that cannot be edited together. */
  readonly children: ReactNode;
}

/** A file as several people edit it at once. */
export function LivePane({ session, children, ...place }: LivePaneProps) {
  const { path } = place;
  const [attempt, setAttempt] = useState(0);
  const opened = useOpenFile(session, path, attempt);
  if (opened === null) return <SkeletonRows rows={4} />;
  if ("error" in opened) {
    const { error } = opened;
    if (error instanceof SylaError && (error.code.startsWith("live_") || error.code === "workspace_archived")) return children;
    return <ErrorPanel error={error} onRetry={() => setAttempt(attempt + 1)} />;
  }
  return <Opened {...place} file={opened.file} onReload={() => setAttempt(attempt + 1)} />;
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

interface OpenedProps extends Pick<LivePaneProps, "goTo" | "problems" | "onMoved"> {
  readonly file: LiveFile;
  readonly onReload: () => void;
}

function Opened({ file, goTo, problems, onMoved, onReload }: OpenedProps) {
  const state = useSyncExternalStore(file.subscribe, file.snapshot);
  const { live } = useLiveSession();
  const { followed } = useFollow();
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
          <Button size="xs" variant="outline" onClick={() => file.putBack()}>
            Put it back
          </Button>
        </Banner>
      ) : null}
      {state.problem === null ? null : <Banner text={`What is written is kept, and not in the files yet: ${state.problem}`} />}
      <Box flex="1" minH="0" {...(followed === null ? {} : { borderTopWidth: "2px", style: { borderColor: followed.color } })}>
        {state.isLoaded ? (
          <Editor
            file={file}
            readOnly={!state.mayEdit || refused !== null || live.connection === "ended"}
            followedId={followed?.id ?? null}
            goTo={goTo}
            problems={problems}
          />
        ) : (
          <SkeletonRows rows={4} />
        )}
      </Box>
      <SavedLine file={file} followed={followed} />
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

/** How what is written here stands with the server, in words, and whose cursor is kept in view. */
function SavedLine({ file, followed }: { readonly file: LiveFile; readonly followed: Other | null }) {
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
      {followed === null ? null : (
        <Text as="span" ml="auto" truncate>
          Following {followed.name} until you type or scroll
        </Text>
      )}
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

interface EditorProps extends Pick<LivePaneProps, "goTo" | "problems"> {
  readonly file: LiveFile;
  readonly readOnly: boolean;
  /** Whose cursor is kept in view. */
  readonly followedId: string | null;
}

/** CodeMirror on a live file: the text flows both ways by itself. */
function Editor({ file, readOnly, followedId, goTo, problems }: EditorProps) {
  const host = useRef<HTMLDivElement>(null);
  const [slot] = useState(() => new Compartment());
  const [following] = useState(() => new Compartment());
  const view = useRef<EditorView | null>(null);
  useEffect(() => {
    if (host.current === null) return;
    const slots = [slot.of([]), following.of([])];
    const extensions = [liveExtensions(file), baseExtensions(() => {}), languageSupport(languageOfPath(file.path)), slots];
    const made = new EditorView({ parent: host.current, state: EditorState.create({ doc: file.text.toJSON(), extensions }) });
    view.current = made;
    file.editor = made;
    made.focus();
    return () => {
      file.editor = null;
      made.destroy();
    };
  }, [file, slot, following]);
  useEffect(() => {
    view.current?.dispatch({ effects: slot.reconfigure(EditorState.readOnly.of(readOnly)) });
  }, [readOnly, slot]);
  useEffect(() => {
    view.current?.dispatch({ effects: following.reconfigure(followedId === null ? [] : followCursor(file, followedId)) });
  }, [file, followedId, following]);
  useEffect(() => {
    if (view.current !== null && goTo !== null) goToLine(view.current, goTo);
  }, [goTo]);
  useEffect(() => {
    if (view.current !== null && problems !== null) view.current.dispatch(markProblems(view.current.state, problems));
  }, [problems]);
  return <Box ref={host} className="code-editor" h="100%" minH="0" overflow="hidden" />;
}
