import { Box, Button, chakra, Flex, Menu, Portal, Text } from "@chakra-ui/react";
import {
  AlignHorizontalDistributeCenter,
  ChevronRight,
  CircleAlert,
  CircleCheck,
  CodeXml,
  Download,
  Ellipsis,
  Grid3x3,
  PanelLeft,
  Play,
  Plus,
  Redo2,
  Search,
  Undo2,
  Upload,
  Workflow,
} from "lucide-react";
import { useRef } from "react";
import { formatPlural } from "../ui/format.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { useBuilder, useBuilderStore } from "./builder-store.ts";
import { alignments, type Alignment } from "./edits/align.ts";
import { bodyAt } from "./edits/bodies.ts";
import { titleOf } from "./kinds.ts";
import { People } from "./live/people.tsx";
import type { Actions } from "./use-actions.ts";
import type { Autosave } from "./use-autosave.ts";

interface ToolbarProps {
  readonly actions: Actions;
  readonly autosave: Autosave | null;
  readonly snaps: boolean;
  readonly onSnap: (on: boolean) => void;
  readonly showsPalette: boolean;
  readonly onPalette: (on: boolean) => void;
  /** How many errors there are, which is said beside the word. */
  readonly errors: number;
  /** What is open at the side. */
  readonly panel: "node" | "problems" | "code" | "run" | null;
  readonly onPanel: (panel: "problems" | "code" | "run") => void;
  readonly onFind: () => void;
  /** Finds what is there. */
  readonly onSearch: () => void;
  readonly onMakeModule: () => void;
  readonly onExport: () => void;
  readonly onImport: (text: string) => void;
  readonly onDecide: () => void;
}

/** What is done with the graph as a whole. */
export function Toolbar(props: ToolbarProps) {
  const { actions, snaps, onSnap, showsPalette, onPalette, errors, panel, onPanel, onFind, onSearch } = props;
  const store = useBuilderStore();
  const canUndo = useBuilder(({ past }) => past.length > 0);
  const canRedo = useBuilder(({ future }) => future.length > 0);
  const chosen = useBuilder(({ selection }) => selection.nodes.size);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  return (
    <Flex
      role="toolbar"
      aria-label="Builder"
      align="center"
      gap="1"
      px="2"
      py="1"
      borderBottomWidth="1px"
      borderColor="border"
      bg="bg.panel"
      wrap="wrap"
    >
      {isReadOnly ? null : (
        <IconButton
          label={showsPalette ? "Hide the palette" : "Show the palette"}
          aria-pressed={showsPalette}
          onClick={() => onPalette(!showsPalette)}
        >
          <PanelLeft />
        </IconButton>
      )}
      <IconButton label="Find in the graph" onClick={onSearch}>
        <Search />
      </IconButton>
      {isReadOnly ? (
        <IconButton label="Export as JSON" onClick={props.onExport}>
          <Download />
        </IconButton>
      ) : (
        <>
          <Button size="xs" variant="outline" onClick={onFind}>
            <Plus aria-hidden /> Add a node
          </Button>
          <IconButton label="Undo" disabled={!canUndo} onClick={() => store.undo()}>
            <Undo2 />
          </IconButton>
          <IconButton label="Redo" disabled={!canRedo} onClick={() => store.redo()}>
            <Redo2 />
          </IconButton>
          <IconButton label={chosen > 1 ? "Tidy what is chosen" : "Tidy"} onClick={() => void actions.tidy()}>
            <Workflow />
          </IconButton>
          <IconButton label="Snap to the grid" aria-pressed={snaps} bg={snaps ? "bg.muted" : undefined} onClick={() => onSnap(!snaps)}>
            <Grid3x3 />
          </IconButton>
          {chosen < 2 ? null : <AlignMenu onAlign={actions.align} />}
          <MoreMenu {...props} />
        </>
      )}
      <Breadcrumb />
      <Flex ml="auto" align="center" gap="2">
        <People />
        {props.autosave === null ? (
          <Text fontSize="xs" color="fg.muted">
            Read only
          </Text>
        ) : (
          <SaveMark autosave={props.autosave} onDecide={props.onDecide} />
        )}
        <Button size="xs" variant="ghost" aria-pressed={panel === "problems"} onClick={() => onPanel("problems")}>
          {errors === 0 ? <CircleCheck aria-hidden /> : <CircleAlert aria-hidden />}{" "}
          {errors === 0 ? "Problems" : formatPlural(errors, "problem")}
        </Button>
        <Button size="xs" variant="ghost" aria-pressed={panel === "code"} onClick={() => onPanel("code")}>
          <CodeXml aria-hidden /> Code
        </Button>
        <Button size="xs" colorPalette="accent" aria-pressed={panel === "run"} onClick={() => onPanel("run")}>
          <Play aria-hidden /> Run
        </Button>
      </Flex>
    </Flex>
  );
}

const alignWords: Readonly<Record<Alignment, string>> = {
  left: "Left edges",
  center: "Centres",
  right: "Right edges",
  top: "Upper edges",
  middle: "Middles",
  bottom: "Lower edges",
  across: "Spread across",
  down: "Spread down",
};

function AlignMenu({ onAlign }: { readonly onAlign: (alignment: Alignment) => void }) {
  return (
    <Menu.Root onSelect={({ value }) => onAlign(value as Alignment)}>
      <Menu.Trigger asChild>
        <IconButton label="Align">
          <AlignHorizontalDistributeCenter />
        </IconButton>
      </Menu.Trigger>
      <Portal>
        <Menu.Positioner>
          <Menu.Content>
            {alignments.map((alignment) => (
              <Menu.Item key={alignment} value={alignment}>
                {alignWords[alignment]}
              </Menu.Item>
            ))}
          </Menu.Content>
        </Menu.Positioner>
      </Portal>
    </Menu.Root>
  );
}

function MoreMenu({ actions, onMakeModule, onExport, onImport }: ToolbarProps) {
  const file = useRef<HTMLInputElement>(null);
  const entries: readonly (readonly [string, string, () => void])[] = [
    ["duplicate", "Duplicate", actions.duplicateSelected],
    ["group", "Group in a frame", actions.groupSelected],
    ["collapse", "Collapse to a module", actions.collapseSelected],
    ["module", "Make a module of its own", onMakeModule],
    ["expand", "Expand the module", actions.expandSelected],
    ["bypass", "Bypass", actions.bypassSelected],
    ["delete", "Delete", actions.deleteSelected],
    ["export", "Export as JSON", onExport],
  ];
  return (
    <>
      <Menu.Root
        onSelect={({ value }) => {
          if (value === "import") file.current?.click();
          else entries.find(([key]) => key === value)?.[2]();
        }}
      >
        <Menu.Trigger asChild>
          <IconButton label="More">
            <Ellipsis />
          </IconButton>
        </Menu.Trigger>
        <Portal>
          <Menu.Positioner>
            <Menu.Content>
              {entries.map(([key, label]) => (
                <Menu.Item key={key} value={key}>
                  {key === "export" ? <Download size={14} aria-hidden /> : null}
                  {label}
                </Menu.Item>
              ))}
              <Menu.Item value="import">
                <Upload size={14} aria-hidden />
                Import JSON
              </Menu.Item>
            </Menu.Content>
          </Menu.Positioner>
        </Portal>
      </Menu.Root>
      <input
        ref={file}
        type="file"
        accept="application/json,.json"
        hidden
        aria-label="A composition as JSON"
        onChange={(event) => {
          const [picked] = event.currentTarget.files ?? [];
          event.currentTarget.value = "";
          if (picked !== undefined) void picked.text().then(onImport);
        }}
      />
    </>
  );
}

/** Where in the graphs within one is. */
function Breadcrumb() {
  const store = useBuilderStore();
  const graph = useBuilder((state) => state.graph);
  const path = useBuilder((state) => state.path);
  if (path.length === 0) return null;
  return (
    <Flex as="nav" aria-label="Graphs around" align="center" fontSize="xs" ml="2" minW="0">
      <chakra.button type="button" onClick={() => store.enter([])} color="fg.muted" _hover={{ color: "fg" }} minH="6">
        Composition
      </chakra.button>
      {path.map((id, index) => {
        const node = bodyAt(graph, path.slice(0, index))?.nodes.find((each) => each.id === id);
        const isLast = index === path.length - 1;
        return (
          <Flex key={id} align="center" minW="0">
            <ChevronRight size={12} aria-hidden />
            <chakra.button
              type="button"
              minH="6"
              color={isLast ? "fg" : "fg.muted"}
              aria-current={isLast ? "page" : undefined}
              _hover={{ color: "fg" }}
              onClick={() => store.enter(path.slice(0, index + 1))}
            >
              {node === undefined ? id : titleOf(node)}
            </chakra.button>
          </Flex>
        );
      })}
    </Flex>
  );
}

const saveWords = { saved: "Saved", unsaved: "Not saved yet", saving: "Saving", failed: "Could not be saved" } as const;

function SaveMark({ autosave, onDecide }: { readonly autosave: Autosave; readonly onDecide: () => void }) {
  if (autosave.conflict !== null)
    return (
      <Button size="xs" variant="outline" colorPalette="accent" onClick={onDecide}>
        Somebody else has changed it
      </Button>
    );
  const message = autosave.error instanceof Error ? autosave.error.message : undefined;
  return (
    <Box
      role="status"
      fontSize="xs"
      color={autosave.state === "failed" ? "fg.error" : "fg.muted"}
      data-save={autosave.state}
      data-tip={autosave.state === "failed" ? message : undefined}
    >
      {saveWords[autosave.state]}
      {autosave.state === "failed" && message !== undefined ? `: ${message}` : ""}
    </Box>
  );
}
