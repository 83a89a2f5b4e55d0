import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { languageOf, scriptOf, writeNotebook, type NotebookCell } from "@syla/contracts/notebook";
import type { Workspace } from "@syla/sdk";
import { useEffect, useMemo, useRef, useState } from "react";
import { saveAs } from "../ui/download-button.tsx";
import { CellView, type CellActions, type CellMark } from "./cell-view.tsx";
import { NotebookBar, type NotebookCommands } from "./notebook-bar.tsx";
import * as edits from "./notebook-edits.ts";
import type { RanCells } from "./ran-cells.ts";
import { useEndedKernel } from "./use-ended-kernel.ts";
import { useKernel } from "./use-kernel.ts";
import { useNotebook } from "./use-notebook.ts";
import { useNotebookKeys } from "./use-notebook-keys.ts";

interface NotebookViewProps {
  readonly workspace: Workspace;
  readonly path: string;
  /** The file, edited or not. */
  readonly text: string;
  readonly readOnly: boolean;
  readonly mayRun: boolean;
  readonly onText: (text: string) => void;
  /** Saves what was written, after cells have run. */
  readonly onSave: () => void;
}

/** A notebook: cells that run one after another in a kernel that keeps its variables, with what came of them. */
export function NotebookView({ workspace, path, text, readOnly, mayRun: mayRunHere, onText, onSave }: NotebookViewProps) {
  const { state, read, change, cellOf, setOutputs } = useNotebook(text, readOnly ? null : onText);
  const { notebook, selected } = state;
  const language = languageOf(notebook);
  const mayRun = mayRunHere && language !== null;
  const [isEditing, setEditing] = useState(false);
  const [hasRun, setHasRun] = useState(false);
  const kernel = useKernel({
    workspaceId: workspace.id,
    path,
    revision: workspace.revision,
    language: mayRun ? language : null,
    cellOf,
    onOutputs: setOutputs,
    onSettled: () => setHasRun(true),
  });
  useEndedKernel(workspace.id, mayRun && kernel.state !== "none", kernel.noteEnd);
  // Once what came of it stands in the text.
  useEffect(() => {
    if (!hasRun) return;
    setHasRun(false);
    if (!readOnly) onSave();
  }, [hasRun, readOnly, onSave]);

  const runCell = (id: string, then: "stay" | "next" | "insert") => {
    const cell = cellOf(id);
    if (cell?.kind === "code" && mayRun) kernel.run([id]);
    change((now) => edits.select(now, id));
    if (then === "stay") return setEditing(false);
    const isLast = read().notebook.cells.at(-1)?.id === id;
    if (!readOnly && (then === "insert" || isLast)) {
      change((now) => edits.addCell(now, 1));
      return setEditing(true);
    }
    change((now) => edits.moveSelection(now, 1));
    setEditing(false);
  };
  const codeIds = () => read().notebook.cells.flatMap(({ id, kind }) => (kind === "code" ? [id] : []));
  const attempt = (work: () => Promise<unknown>) => void work().catch(() => undefined);
  const restart = (then: () => void = () => undefined) => attempt(async () => kernel.restart().then(then));
  const commands: NotebookCommands = {
    runNext: () => runCell(read().selected, "next"),
    runAll: () => kernel.run(codeIds()),
    interrupt: () => attempt(kernel.interrupt),
    restart: () => restart(),
    restartAndClear: () => restart(() => change(edits.clearOutputs)),
    restartAndRunAll: () => restart(() => kernel.run(codeIds())),
    clearOutputs: () => change(edits.clearOutputs),
    add: (kind) => {
      change((now) => edits.addCell(now, 1, kind));
      setEditing(true);
    },
    move: (by) => change((now) => edits.moveCell(now, by)),
    remove: () => change((now) => edits.deleteCell(now)),
    undo: () => change(edits.undo),
    setKind: (kind) => change((now) => edits.setKind(now, kind)),
    download: () => save(writeNotebook(read().notebook), nameOf(path), "application/x-ipynb+json"),
    downloadScript: () => save(scriptOf(read().notebook), scriptName(path, language), "text/plain"),
  };
  const actions = useLatestActions({
    select: (id, mode) => {
      change((now) => edits.select(now, id));
      setEditing(mode === "edit");
    },
    write: (id, source) => {
      if (cellOf(id)?.source !== source) change((now) => edits.changeCell(now, id, (cell) => ({ ...cell, source })));
    },
    run: runCell,
    leave: () => setEditing(false),
    beyond: (_id, by) => {
      const before = read().selected;
      change((now) => edits.moveSelection(now, by));
      if (read().selected !== before) setEditing(false);
    },
  });
  const onKeyDown = useNotebookKeys({
    read,
    change,
    readOnly,
    edit: () => setEditing(true),
    run: (then) => runCell(read().selected, then),
    interrupt: commands.interrupt,
    restart: commands.restart,
  });
  const chosen = notebook.cells.find(({ id }) => id === selected);
  return (
    <Flex direction="column" h="100%" minH="0" data-notebook onKeyDown={onKeyDown}>
      <NotebookBar
        kernel={kernel.state}
        kernelName={language === "javascript" ? "JavaScript" : language === "python" ? "Python" : "No kernel"}
        mayRun={mayRun}
        readOnly={readOnly}
        canUndo={state.past.length > 0}
        kind={chosen?.kind ?? null}
        commands={commands}
      />
      {language === null ? <Note text="This notebook is in a language that is not run here. It can be read and edited." /> : null}
      {kernel.problem === null ? null : (
        <Note text={kernel.problem} isProblem>
          <Button size="2xs" variant="outline" onClick={kernel.forgetProblem}>
            Close
          </Button>
        </Note>
      )}
      <Box flex="1" minH="0" overflowY="auto" py="2" role="list" aria-label="Cells">
        {notebook.cells.map((cell, index) => (
          <Box key={cell.id} role="listitem">
            <CellView
              cell={cell}
              number={index + 1}
              language={language ?? ""}
              isSelected={cell.id === selected}
              isEditing={isEditing && cell.id === selected}
              state={kernel.running === cell.id ? "running" : kernel.waiting.includes(cell.id) ? "waiting" : null}
              mark={mayRun ? markOf(cell, kernel.ran) : null}
              readOnly={readOnly}
              mayRun={mayRun}
              actions={actions}
            />
          </Box>
        ))}
      </Box>
    </Flex>
  );
}

interface NoteProps {
  readonly text: string;
  readonly isProblem?: boolean;
  readonly children?: React.ReactNode;
}

function Note({ text, isProblem = false, children }: NoteProps) {
  return (
    <Flex
      role={isProblem ? "alert" : "status"}
      align="center"
      gap="3"
      px="4"
      py="1.5"
      fontSize="xs"
      bg={isProblem ? "bg.error" : "bg.subtle"}
    >
      <Text>{text}</Text>
      {children}
    </Flex>
  );
}

function markOf({ id, kind, source, executionCount, outputs }: NotebookCell, { ran }: RanCells): CellMark {
  if (kind !== "code") return null;
  const then = ran.get(id);
  if (then !== undefined) return then === source ? null : "changed";
  return executionCount === null && outputs.length === 0 ? null : "other-kernel";
}

/** The same object on every render, which does what the newest one does: cells that have not changed are not drawn again. */
function useLatestActions(actions: CellActions): CellActions {
  const latest = useRef(actions);
  useEffect(() => {
    latest.current = actions;
  });
  return useMemo(
    () => ({
      select: (...given) => latest.current.select(...given),
      write: (...given) => latest.current.write(...given),
      run: (...given) => latest.current.run(...given),
      leave: (...given) => latest.current.leave(...given),
      beyond: (...given) => latest.current.beyond(...given),
    }),
    [],
  );
}

function save(text: string, name: string, type: string): void {
  saveAs(new Blob([text], { type }), name);
}

function nameOf(path: string): string {
  return path.split("/").at(-1) ?? path;
}

function scriptName(path: string, language: string | null): string {
  return nameOf(path).replace(/\.ipynb$/i, language === "javascript" ? ".mjs" : ".py");
}
