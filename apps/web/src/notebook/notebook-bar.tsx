import { Box, Button, Flex, Menu, Portal, Text } from "@chakra-ui/react";
import { notebookCellKinds, type NotebookCellKind } from "@syla/contracts/notebook";
import { ArrowDown, ArrowUp, CodeXml, Ellipsis, FastForward, Play, RotateCw, Square, TextInitial, Trash2, Undo2 } from "lucide-react";
import { IconButton } from "../ui/icon-button.tsx";
import { SelectField } from "../ui/select-field.tsx";
import type { KernelState } from "./use-kernel.ts";

/** What can be done with a whole notebook. */
export interface NotebookCommands {
  readonly runNext: () => void;
  readonly runAll: () => void;
  readonly interrupt: () => void;
  readonly restart: () => void;
  readonly restartAndClear: () => void;
  readonly restartAndRunAll: () => void;
  readonly clearOutputs: () => void;
  readonly add: (kind: NotebookCellKind) => void;
  readonly move: (by: -1 | 1) => void;
  readonly remove: () => void;
  readonly undo: () => void;
  readonly setKind: (kind: NotebookCellKind) => void;
  readonly download: () => void;
  readonly downloadScript: () => void;
}

interface NotebookBarProps {
  readonly kernel: KernelState;
  readonly kernelName: string;
  readonly mayRun: boolean;
  readonly readOnly: boolean;
  readonly canUndo: boolean;
  readonly kind: NotebookCellKind | null;
  readonly commands: NotebookCommands;
}

const kindLabels: Readonly<Record<NotebookCellKind, string>> = { code: "Code", markdown: "Markdown", raw: "Raw" };
const stateLabels: Readonly<Record<KernelState, string>> = {
  none: "not started",
  starting: "starting …",
  idle: "ready",
  busy: "busy",
  lost: "ended",
};
const stateColors: Readonly<Record<KernelState, string>> = {
  none: "fg.subtle",
  starting: "fg.warning",
  idle: "fg.success",
  busy: "accent.solid",
  lost: "fg.error",
};

/** The commands of a notebook, and how its kernel is. */
export function NotebookBar({ kernel, kernelName, mayRun, readOnly, canUndo, kind, commands: on }: NotebookBarProps) {
  const isBusy = kernel === "busy" || kernel === "starting";
  return (
    <Flex
      role="toolbar"
      aria-label="Notebook"
      // A button that is pressed by a mouse leaves the keys where they are.
      onMouseDown={(event) => {
        if ((event.target as Element).closest("button") !== null) event.preventDefault();
      }}
      align="center"
      gap="1"
      px="2"
      py="1"
      wrap="wrap"
      borderBottomWidth="1px"
      borderColor="border"
    >
      {mayRun ? (
        <>
          <IconButton label="Run and go on" onClick={on.runNext}>
            <Play />
          </IconButton>
          <IconButton label="Run all" onClick={on.runAll}>
            <FastForward />
          </IconButton>
          <IconButton label="Interrupt" disabled={!isBusy} onClick={on.interrupt}>
            <Square />
          </IconButton>
          <IconButton label="Restart the kernel" disabled={kernel === "none"} onClick={on.restart}>
            <RotateCw />
          </IconButton>
          <Rule />
        </>
      ) : null}
      {readOnly ? null : (
        <>
          <IconButton label="Add code below" onClick={() => on.add("code")}>
            <CodeXml />
          </IconButton>
          <IconButton label="Add text below" onClick={() => on.add("markdown")}>
            <TextInitial />
          </IconButton>
          <IconButton label="Move up" onClick={() => on.move(-1)}>
            <ArrowUp />
          </IconButton>
          <IconButton label="Move down" onClick={() => on.move(1)}>
            <ArrowDown />
          </IconButton>
          <IconButton label="Delete the cell" onClick={on.remove}>
            <Trash2 />
          </IconButton>
          <IconButton label="Undo" disabled={!canUndo} onClick={on.undo}>
            <Undo2 />
          </IconButton>
          {kind === null ? null : (
            <SelectField label="Kind of the cell" size="xs" value={kind} onChoose={(value) => on.setKind(value as NotebookCellKind)}>
              {notebookCellKinds.map((name) => (
                <option key={name} value={name}>
                  {kindLabels[name]}
                </option>
              ))}
            </SelectField>
          )}
        </>
      )}
      <More mayRun={mayRun} readOnly={readOnly} commands={on} />
      <Flex align="center" gap="1.5" ml="auto" px="1" fontSize="xs" color="fg.muted" role="status" aria-label="Kernel">
        <Box w="2" h="2" rounded="full" bg={stateColors[kernel]} aria-hidden />
        <Text>
          {kernelName}: {stateLabels[kernel]}
        </Text>
      </Flex>
    </Flex>
  );
}

function More({ mayRun, readOnly, commands: on }: Pick<NotebookBarProps, "mayRun" | "readOnly" | "commands">) {
  const items = [
    ...(mayRun
      ? [
          { name: "Restart and run all", run: on.restartAndRunAll },
          ...(readOnly ? [] : [{ name: "Restart and clear outputs", run: on.restartAndClear }]),
        ]
      : []),
    ...(readOnly ? [] : [{ name: "Clear outputs", run: on.clearOutputs }]),
    { name: "Download the notebook", run: on.download },
    { name: "Download as a script", run: on.downloadScript },
  ];
  return (
    <Menu.Root positioning={{ placement: "bottom-start" }} lazyMount unmountOnExit>
      <Menu.Trigger asChild>
        <Button aria-label="More for the notebook" data-tip="More for the notebook" size="xs" variant="ghost" px="0" minW="8">
          <Ellipsis size={16} aria-hidden />
        </Button>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content minW="48">
            {items.map(({ name, run }) => (
              <Menu.Item key={name} value={name} onSelect={run}>
                {name}
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}

function Rule() {
  return <Box w="1px" h="5" mx="1" bg="border" aria-hidden />;
}
