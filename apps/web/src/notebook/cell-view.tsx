import { Box, Flex, Text } from "@chakra-ui/react";
import type { NotebookCell } from "@syla/contracts/notebook";
import { Play } from "lucide-react";
import { lazy, memo, Suspense, useEffect, useRef } from "react";
import { IconButton } from "../ui/icon-button.tsx";
import { CellEditor, type CellKeys } from "./cell-editor.tsx";
import { CellOutputs } from "./cell-outputs.tsx";

const MarkdownPreview = lazy(async () => ({ default: (await import("../runs/detail/preview/markdown-preview.tsx")).MarkdownPreview }));

/** What may be said beside a cell: its code has changed since it ran, or it has not run in this kernel. */
export type CellMark = "changed" | "other-kernel" | null;

/** What a cell tells the notebook; the same object on every render. */
export interface CellActions {
  readonly select: (id: string, mode: "command" | "edit") => void;
  readonly write: (id: string, source: string) => void;
  readonly run: (id: string, then: "stay" | "next" | "insert") => void;
  readonly leave: (id: string) => void;
  readonly beyond: (id: string, by: -1 | 1) => void;
}

interface CellViewProps {
  readonly cell: NotebookCell;
  readonly number: number;
  readonly language: string;
  readonly isSelected: boolean;
  readonly isEditing: boolean;
  readonly state: "running" | "waiting" | null;
  readonly mark: CellMark;
  readonly readOnly: boolean;
  readonly mayRun: boolean;
  readonly actions: CellActions;
}

/** A cell with what came of it. */
export const CellView = memo(function CellView(props: CellViewProps) {
  const { cell, number, isSelected, isEditing, actions } = props;
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (!isSelected) return;
    box.current?.scrollIntoView({ block: "nearest" });
    // Where somebody is at the commands, the keys come here; where the cell that had them was deleted, nothing has them.
    const { activeElement } = document;
    const isHere = activeElement === document.body || box.current?.closest("[data-notebook]")?.contains(activeElement) === true;
    if (!isEditing && isHere) box.current?.focus({ preventScroll: true });
  }, [isSelected, isEditing]);
  const isText = cell.kind === "markdown" && !isEditing;
  return (
    <Flex
      ref={box}
      role="group"
      aria-label={`Cell ${number}`}
      aria-current={isSelected}
      data-cell={cell.kind}
      tabIndex={isSelected ? 0 : -1}
      px="2"
      py="1.5"
      gap="2"
      borderLeftWidth="3px"
      borderColor={isSelected ? "accent.solid" : "transparent"}
      outlineOffset="-2px"
      css={{ contentVisibility: "auto", containIntrinsicSize: "auto 80px" }}
      onMouseDown={(event) => {
        if (!(event.target as Element).closest(".cm-editor, button, a, iframe")) actions.select(cell.id, "command");
      }}
      {...(isText ? { onDoubleClick: () => actions.select(cell.id, "edit") } : {})}
    >
      <Beside {...props} />
      <Box flex="1" minW="0">
        {isText ? <MarkdownText source={cell.source} number={number} /> : <Editor {...props} />}
        {cell.outputs.length > 0 ? <CellOutputs outputs={cell.outputs} /> : null}
      </Box>
    </Flex>
  );
});

function Beside({ cell, state, mark, mayRun, actions, isSelected }: CellViewProps) {
  const count = state === "running" ? "*" : state === "waiting" ? "…" : (cell.executionCount ?? " ");
  return (
    <Flex direction="column" align="flex-end" w={{ base: "36px", md: "56px" }} flexShrink="0" pt="1" gap="0.5">
      {cell.kind === "code" ? (
        <>
          <Text fontFamily="mono" fontSize="xs" color={mark === "other-kernel" ? "fg.subtle" : "fg.muted"} whiteSpace="pre">
            [{count}]
          </Text>
          {mark === null || state !== null ? null : (
            <Text fontSize="2xs" color={mark === "changed" ? "fg.warning" : "fg.subtle"} textAlign="right" lineHeight="1.2">
              {mark === "changed" ? "changed" : "not run here"}
            </Text>
          )}
          {mayRun && isSelected ? (
            <IconButton label="Run this cell" onClick={() => actions.run(cell.id, "stay")}>
              <Play />
            </IconButton>
          ) : null}
        </>
      ) : null}
    </Flex>
  );
}

function Editor({ cell, number, language, isEditing, isSelected, readOnly, actions }: CellViewProps) {
  const keys: CellKeys = {
    run: (then) => actions.run(cell.id, then),
    leave: () => actions.leave(cell.id),
    beyond: (by) => actions.beyond(cell.id, by),
  };
  return (
    <Box borderWidth="1px" borderColor={isEditing ? "accent.solid" : "border"} rounded="sm" bg="bg.subtle" overflow="hidden">
      <CellEditor
        label={`${cell.kind === "code" ? "Code" : "Text"} of cell ${number}`}
        value={cell.source}
        language={cell.kind === "code" ? language : ""}
        readOnly={readOnly}
        isFocused={isEditing && isSelected}
        keys={keys}
        onChange={(source) => actions.write(cell.id, source)}
        onFocus={() => actions.select(cell.id, "edit")}
      />
    </Box>
  );
}

function MarkdownText({ source, number }: { readonly source: string; readonly number: number }) {
  if (source.trim() === "")
    return (
      <Text fontSize="sm" color="fg.subtle" py="1">
        Empty text. Enter writes in it.
      </Text>
    );
  return (
    <Suspense fallback={null}>
      <MarkdownPreview text={source} label={`Text of cell ${number}`} isWhole />
    </Suspense>
  );
}
