import { Box, Flex, Text } from "@chakra-ui/react";
import { type EditorState, type Extension, RangeSetBuilder } from "@codemirror/state";
import { Decoration, EditorView } from "@codemirror/view";
import { compileFlow, type NodeLines } from "@syla/flow/compile";
import { lazy, Suspense, useMemo } from "react";
import { Copyable } from "../ui/copyable.tsx";
import { saveAs } from "../ui/download-button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { CodeXml, Download } from "lucide-react";
import { useBuilder, useBuilderStore } from "./builder-store.ts";
import { useSettled } from "./use-problems.ts";

const CodeEditor = lazy(async () => ({ default: (await import("../editor/code-editor.tsx")).CodeEditor }));

const compileMs = 250;
const marked = Decoration.line({ class: "cm-line-of-node" });

/** The lines of some nodes, marked. */
function markLines(state: EditorState, lines: readonly NodeLines[]) {
  const builder = new RangeSetBuilder<Decoration>();
  const numbers = new Set(lines.flatMap(({ from, to }) => Array.from({ length: to - from + 1 }, (_, index) => from + index)));
  for (const number of [...numbers].toSorted((a, b) => a - b)) {
    if (number > state.doc.lines) break;
    const { from } = state.doc.line(number);
    builder.add(from, from, marked);
  }
  return builder.finish();
}

/** The composition as Python, beside the graph: what is chosen here is chosen there. */
export function CodePanel() {
  const store = useBuilderStore();
  const graph = useSettled(
    useBuilder((state) => state.graph),
    compileMs,
  );
  const path = useBuilder((state) => state.path);
  const selected = useBuilder((state) => state.selection.nodes);
  const { compiled } = useMemo(() => compileFlow(graph), [graph]);
  const lines = useMemo(() => {
    const shown = path.join("/");
    return (compiled?.lines ?? []).filter((each) => each.path.join("/") === shown && selected.has(each.node));
  }, [compiled, path, selected]);
  const first = lines[0]?.from;
  const goTo = useMemo(() => (first === undefined ? null : { line: first, at: first }), [first]);
  const extensions = useMemo((): Extension => {
    const all = compiled?.lines ?? [];
    return [
      EditorView.decorations.of((view) => markLines(view.state, lines)),
      EditorView.domEventHandlers({
        mouseup: (_, view) => {
          const line = view.state.doc.lineAt(view.state.selection.main.head).number;
          const around = all.filter(({ from, to }) => from <= line && line <= to);
          // Graphs lie in each other: the innermost is meant.
          const found = around.toSorted((a, b) => a.to - a.from - (b.to - b.from))[0];
          if (found !== undefined) store.enter(found.path, [found.node]);
        },
      }),
    ];
  }, [compiled, lines, store]);
  if (compiled === undefined)
    return (
      <EmptyState icon={CodeXml} title="There is no code yet">
        The graph has problems: with errors in it it is no program.
      </EmptyState>
    );
  return (
    <Flex direction="column" h="100%" minH="0">
      <Flex align="center" gap="2" px="2" py="1" borderBottomWidth="1px" borderColor="border" fontSize="xs">
        <Text color="fg.muted" flex="1">
          {compiled.source.split("\n").length - 1} lines of Python
        </Text>
        <Copyable text={compiled.source} shown="Copy" label="the code" />
        <IconButton label="Download the code" onClick={() => saveAs(new Blob([compiled.source]), `${compiled.entry.name}.py`)}>
          <Download />
        </IconButton>
      </Flex>
      <Box flex="1" minH="0">
        <Suspense fallback={null}>
          <CodeEditor
            value={compiled.source}
            language="python"
            onChange={() => undefined}
            goTo={goTo}
            readOnly
            takesFocus={false}
            extensions={extensions}
          />
        </Suspense>
      </Box>
    </Flex>
  );
}
