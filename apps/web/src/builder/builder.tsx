import { Box, chakra, Flex } from "@chakra-ui/react";
import type { CompositionGraph, CompositionProblem } from "@syla/contracts/compositions";
import type { FlowBody } from "@syla/contracts/flow";
import { isNodeFinal } from "@syla/contracts/node-runs";
import type { Asset } from "@syla/sdk";
import { useReactFlow } from "@xyflow/react";
import { X } from "lucide-react";
import { lazy, Suspense, useEffect, useMemo, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { syla } from "../app/api.ts";
import { saveAs } from "../ui/download-button.tsx";
import { formatPlural } from "../ui/format.ts";
import { Toast } from "../ui/toast.tsx";
import { IconButton } from "../ui/icon-button.tsx";
import { useStoredFlag } from "../ui/use-stored-flag.ts";
import { shownBody, useBuilder, useBuilderStore } from "./builder-store.ts";
import { Canvas, type Dropped } from "./canvas.tsx";
import { useCanvasKeys } from "./canvas-keys.ts";
import { fitting, focusNode } from "./sight.ts";
import { ConnectDialog } from "./connect-dialog.tsx";
import { bodyAt } from "./edits/bodies.ts";
import { refusalToCollapse } from "./edits/collapse.ts";
import { importGraph, readClip } from "./edits/exchange.ts";
import type { Point, Sizes } from "./edits/move.ts";
import { cornerOf, paste } from "./edits/paste.ts";
import { FindInGraph } from "./find-in-graph.tsx";
import { FindNode } from "./find-node.tsx";
import { GraphConflictDialog } from "./graph-conflict-dialog.tsx";
import { MakeModuleDialog } from "./make-module-dialog.tsx";
import { createMarks, type Mark, MarksProvider, noMark } from "./marks.ts";
import { ModuleUpdateDialog, type ModuleUpdate } from "./module-update-dialog.tsx";
import { NodePanel } from "./node-panel.tsx";
import { catalogItem, kindItems, type Placeable } from "./palette-items.ts";
import { PalettePanel } from "./palette-panel.tsx";
import { usePins } from "./pins.ts";
import { ProblemsPanel } from "./problems-panel.tsx";
import { usePalette, useRunComposition, useStaleNodes } from "./queries.ts";
import type { RunPart } from "./run-form.tsx";
import { RunPanel } from "./run-panel.tsx";
import { describeLlm, shortUse } from "./node-use.ts";
import { looksOf, titleAt } from "./run-view.ts";
import { readInputs, runInputs } from "./run-inputs.ts";
import { Toolbar } from "./toolbar.tsx";
import { type Joint, useActions } from "./use-actions.ts";
import type { Autosave } from "./use-autosave.ts";
import { useAutosave } from "./use-autosave.ts";
import { isField, useClipboard } from "./use-clipboard.ts";
import { useProblems } from "./use-problems.ts";
import { useShownRun } from "./use-shown-run.ts";
import { useSteady } from "./use-steady.ts";

const CodePanel = lazy(async () => ({ default: (await import("./code-panel.tsx")).CodePanel }));

/** With more running nodes the wires into them do not move. */
const mostMoving = 40;

/** What is shown is in the address a moment later. */
const addressMs = 300;

const panels = ["node", "problems", "code", "run"] as const;
type Panel = (typeof panels)[number];
const panelWords: Readonly<Record<Panel, string>> = { node: "Node", problems: "Problems", code: "Code", run: "Run" };

interface BuilderProps {
  readonly asset: Asset;
  readonly loaded: CompositionGraph;
}

/** The editor of a composition that can be changed: it saves by itself. */
export function EditableBuilder({ asset, loaded }: BuilderProps) {
  const autosave = useAutosave(asset.id, loaded);
  return <Builder asset={asset} autosave={autosave} />;
}

/** Palette, canvas and panel of one composition. */
export function Builder({ asset, autosave }: { readonly asset: Asset; readonly autosave: Autosave | null }) {
  const store = useBuilderStore();
  const flow = useReactFlow();
  const root = useRef<HTMLDivElement>(null);
  const sizes = useRef<Sizes>(new Map());
  /** What is dragged from the palette. */
  const held = useRef<Placeable | null>(null);
  const [marks] = useState(createMarks);
  const [search, setSearch] = useSearchParams();
  const [snaps, setSnaps] = useStoredFlag("syla.builder.snap", true);
  const [showsPalette, setShowsPalette] = useStoredFlag("syla.builder.palette", window.innerWidth > 900);
  /** Somebody has closed it, until something else is chosen. */
  const [isClosed, setIsClosed] = useState(false);
  const [notice, setNotice] = useState<string | null>(null);
  const [finding, setFinding] = useState<{ readonly at: Point; readonly wire: Dropped | null } | null>(null);
  const [connecting, setConnecting] = useState<string | null>(null);
  const [isDeciding, setIsDeciding] = useState(true);
  const [typed, setTyped] = useState<Readonly<Record<string, string>>>({});
  const [part, setPart] = useState<RunPart>({});
  const [pins, pin] = usePins(asset.id);
  const [searching, setSearching] = useState(false);
  const [making, setMaking] = useState<ReadonlySet<string> | null>(null);
  const [updating, setUpdating] = useState<ModuleUpdate | null>(null);
  const palette = usePalette(asset.id, "");
  const graph = useBuilder((state) => state.graph);
  const body = useBuilder(shownBody);
  const path = useBuilder((state) => state.path);
  const selection = useBuilder((state) => state.selection);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const { problems, hash, isCurrent } = useProblems(asset.id, graph);
  const actions = useActions(sizes, setNotice);
  const runId = search.get("run") ?? "";
  const shown = useShownRun(runId);
  const start = useRunComposition(asset.id);
  const [ranGraph, setRanGraph] = useState<{ readonly run: string; readonly graph: typeof graph; readonly earlier: string } | null>(null);
  const { data: outOfDate } = useStaleNodes(runId, graph, isCurrent ? hash : null);
  const stale = useMemo(() => new Set(outOfDate), [outOfDate]);
  const looks = useMemo(() => looksOf(shown.nodes, path), [shown.nodes, path]);
  const asked = search.get("panel");
  const panel = panels.find((each) => each === asked) ?? "node";
  const isPanelOpen = panel === "node" ? selection.nodes.size > 0 && !isClosed : true;
  const version = search.get("version");
  const mayRun = asset.yourLevel !== "view" && asset.deletedAt === null;
  const ranHash = shown.run?.composition?.graphHash;
  // The hash comes a moment after a change: of what has just been sent it is known.
  const isOld = ranHash !== undefined && ranHash !== hash && !(ranGraph?.run === runId && ranGraph.graph === graph);

  const change = (values: Readonly<Record<string, string>>) =>
    setSearch(
      () => {
        // As it is by now: what was drawn may be older than a run that has just begun.
        const now = new URLSearchParams(window.location.search);
        for (const [name, value] of Object.entries(values))
          if (value === "") now.delete(name);
          else now.set(name, value);
        return now;
      },
      { replace: true },
    );
  const show = (next: Panel) => {
    change({ panel: next === "node" ? "" : next });
    setIsClosed(false);
  };
  const shownPath = path.join("/");
  useEffect(() => setIsClosed(false), [selection]);
  useEffect(() => {
    const id = search.get("node");
    if (id !== null && shownBody(store.get()).nodes.some((node) => node.id === id)) store.select([id]);
    // The address is followed where one comes from, and follows what is chosen afterwards.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, []);
  const [shownNode = ""] = selection.nodes.size === 1 ? selection.nodes : [];
  useEffect(() => {
    // Whoever holds an arrow goes past many nodes, and browsers take only so many addresses.
    const timer = setTimeout(() => {
      const now = new URLSearchParams(window.location.search);
      if ((now.get("node") ?? "") !== shownNode || (now.get("in") ?? "") !== shownPath) change({ node: shownNode, in: shownPath });
    }, addressMs);
    return () => clearTimeout(timer);
    // The address follows what is shown, not the other way round.
    // oxlint-disable-next-line react-hooks/exhaustive-deps
  }, [shownNode, shownPath]);
  useEffect(() => {
    // It would be done when there is a node, which is to stay where it is put.
    if (shownBody(store.get()).nodes.length === 0) return;
    const frame = requestAnimationFrame(() => void flow.fitView(fitting));
    return () => cancelAnimationFrame(frame);
  }, [flow, store, shownPath]);

  useEffect(() => {
    const found = new Map<string, Mark>();
    const mark = (id: string, of: Partial<Mark>) => found.set(id, { ...(found.get(id) ?? noMark), ...of });
    for (const problem of problems) {
      if (problem.node === undefined || problem.path.join("/") !== shownPath || found.get(problem.node)?.severity === "error") continue;
      if (problem.code === "update_available") mark(problem.node, { hasUpdate: true });
      else mark(problem.node, { severity: problem.severity });
    }
    const prefix = shownPath === "" ? "" : `${shownPath}/`;
    for (const [id, { state, note, llm }] of looks)
      mark(id, {
        state,
        note,
        use: shortUse(llm),
        useTip: llm === null ? "" : describeLlm(llm),
        isStale: isNodeFinal(state) && stale.has(`${prefix}${id}`),
      });
    for (const place of Object.keys(pins)) if (place.startsWith(prefix)) mark(place.slice(prefix.length), { isPinned: true });
    if (panel === "code" && isPanelOpen) for (const id of selection.nodes) mark(id, { isLit: true });
    marks.set(found);
    const running = [...looks.values()].filter(({ state }) => state === "running").length;
    root.current?.toggleAttribute("data-busy", running > mostMoving);
  }, [marks, problems, looks, pins, shownPath, stale, panel, isPanelOpen, selection]);

  const middle = (): Point => {
    const box = root.current?.querySelector(".flow-canvas")?.getBoundingClientRect();
    if (box === undefined) return { x: 0, y: 0 };
    const at = flow.screenToFlowPosition({ x: box.left + box.width / 2, y: box.top + box.height / 2 });
    return freePlace(at);
  };
  /** Not over what is there: a little lower each time. */
  const freePlace = ({ x, y }: Point): Point => {
    const isTaken = (at: Point) => body.nodes.some(({ position }) => Math.abs(position.x - at.x) < 48 && Math.abs(position.y - at.y) < 48);
    let at = { x: x - 104, y: y - 48 };
    for (let step = 0; isTaken(at) && step < 100; step += 1) at = { x: at.x + 32, y: at.y + 64 };
    return at;
  };
  const add = (item: Placeable, at: Point, joint: Joint | null) => {
    const place = async () => {
      await actions.add(item, at, joint);
      const [id] = store.get().selection.nodes;
      if (id !== undefined) focusNode(id);
    };
    place().catch((error: unknown) => setNotice(error instanceof Error ? error.message : String(error)));
  };
  const find = () => {
    const [id] = store.get().selection.nodes;
    const near = body.nodes.find((node) => node.id === id);
    const at = near === undefined ? middle() : freePlace({ x: near.position.x + 104 + 288, y: near.position.y + 48 });
    setFinding({ at, wire: null });
  };
  useClipboard(root, middle, setNotice);
  const makeModule = () => {
    const chosen = store.get().selection.nodes;
    const now = shownBody(store.get());
    const [id] = chosen;
    const only = chosen.size === 1 ? now.nodes.find((node) => node.id === id) : undefined;
    if (store.get().isReadOnly) return;
    if (only?.kind === "module" && only.config.composition !== undefined)
      return setNotice("It is a module of the catalog already. Expand it to make another one of it.");
    const refusal = only?.kind === "module" ? undefined : refusalToCollapse(now, chosen);
    if (refusal === undefined) setMaking(chosen);
    else setNotice(refusal);
  };

  const run = (inputs: Readonly<Record<string, unknown>>, of: RunPart, restartOf?: string) => {
    const sent = store.get().graph;
    const begin = () =>
      start.mutate(
        {
          inputs,
          ...of,
          ...(restartOf === undefined ? {} : { restartOf }),
          ...(version === null ? {} : { version }),
          pins: Object.fromEntries(Object.entries(pins).map(([place, output]) => [place, { ...output }])),
        },
        {
          onSuccess: ({ id }) => {
            setRanGraph({ run: id, graph: sent, earlier: runId });
            change({ run: id, panel: "run" });
          },
        },
      );
    // What is seen is what runs.
    const saveFirst = async () => {
      if (autosave === null || (await autosave.save()) !== null) begin();
    };
    saveFirst().catch(() => setNotice("It could not be saved, so it was not run."));
  };
  const askRun = (of: RunPart, now: boolean) => {
    setPart(of);
    show("run");
    const { values, problems: wrong } = readInputs(runInputs(store.get().graph), typed);
    if (now && mayRun && Object.keys(wrong).length === 0) run(values, of);
  };
  const onKeyDown = useCanvasKeys({
    actions,
    sizes,
    onFind: find,
    onConnect: setConnecting,
    onSearch: () => setSearching(true),
    onMakeModule: makeModule,
    onEdit: () => {
      show("node");
      requestAnimationFrame(() => root.current?.querySelector<HTMLElement>("[data-node-panel] input")?.focus());
    },
    onRun: (toSelected) => {
      const [id] = store.get().selection.nodes;
      askRun(toSelected && id !== undefined ? { until: [...path, id].join("/") } : {}, true);
    },
  });
  const lookAt = (node: string) =>
    requestAnimationFrame(() => {
      void flow.fitView({ nodes: [{ id: node }], maxZoom: 1, duration: 0 });
      focusNode(node);
    });
  const goToProblem = (problem: CompositionProblem) => {
    const edge = problem.edge === undefined ? undefined : bodyAt(graph, problem.path)?.edges.find(({ id }) => id === problem.edge);
    const node = problem.node ?? edge?.to.node;
    store.enter(problem.path, node === undefined ? [] : [node]);
    if (edge !== undefined && problem.node === undefined) store.select([], [edge.id]);
    if (node !== undefined) lookAt(node);
  };
  const exportAll = async () => {
    if (autosave !== null && (await autosave.save()) === null) return;
    const document = await syla.compositions.export(asset.id, version ?? undefined);
    saveAs(new Blob([`${JSON.stringify(document, null, 2)}\n`], { type: "application/json" }), `${asset.slug}.json`);
    const count = document.leftOut.length;
    if (count > 0) setNotice(`${formatPlural(count, "value")} that may be secret ${count === 1 ? "is" : "are"} left out of the file.`);
  };
  const dropFile = async (file: File, at: Point) => {
    const { found, problem } = readClip(await file.text());
    if (found === undefined) return setNotice(`Nothing was added. ${problem}`);
    if (found.nodes.length === 0) return;
    const corner = cornerOf(found);
    const added = paste(shownBody(store.get()), found, { x: at.x - corner.x, y: at.y - corner.y }, false);
    store.edit(() => added.body, { select: added.ids });
  };
  const canvasHandlers = useSteady({
    onKeyDown,
    onFind: (at: Point, wire: Dropped | null) => {
      if (!store.get().isReadOnly) setFinding({ at, wire });
    },
    onDropItem: (key: string, at: Point, edge: string | null) => {
      // From another window comes nothing but the key.
      const known = [...(held.current === null ? [] : [held.current]), ...kindItems, ...(palette.data?.items ?? []).map(catalogItem)];
      const item = known.find((each) => each.key === key);
      if (item !== undefined && !store.get().isReadOnly) add(item, at, edge === null ? null : { edge });
    },
    onDropFile: (file: File, at: Point) => {
      if (!store.get().isReadOnly) void dropFile(file, at);
    },
    onOpen: (id: string) => {
      const node = body.nodes.find((each) => each.id === id);
      if (node?.body === undefined) show("node");
      else store.enter([...path, id]);
    },
  });
  const errors = problems.filter(({ severity }) => severity === "error").length;

  return (
    <MarksProvider value={marks}>
      <Flex
        ref={root}
        direction="column"
        h="100%"
        minH="0"
        data-builder
        onKeyDown={(event) => {
          const mod = event.metaKey || event.ctrlKey;
          const key = event.key.toLowerCase();
          if (!mod || (key !== "z" && key !== "y") || isField(event.target)) return;
          event.preventDefault();
          if (key === "y" || event.shiftKey) store.redo();
          else store.undo();
        }}
      >
        <Toolbar
          actions={actions}
          autosave={autosave}
          snaps={snaps}
          onSnap={setSnaps}
          showsPalette={showsPalette}
          onPalette={setShowsPalette}
          errors={errors}
          panel={isPanelOpen ? panel : null}
          onPanel={(next) => {
            if (isPanelOpen && panel === next) change({ panel: "" });
            else if (next === "run") askRun({}, false);
            else show(next);
          }}
          onFind={find}
          onSearch={() => setSearching(true)}
          onMakeModule={makeModule}
          onExport={() => void exportAll().catch((error: unknown) => setNotice(error instanceof Error ? error.message : String(error)))}
          onImport={(text) => {
            const { found, problem } = importGraph(text);
            if (found === undefined) setNotice(`Nothing was imported. ${problem}`);
            else store.commit(found);
          }}
          onDecide={() => setIsDeciding(true)}
        />
        <Flex flex="1" minH="0" position="relative">
          {showsPalette && !isReadOnly ? (
            <Box
              w="56"
              flexShrink="0"
              borderRightWidth="1px"
              borderColor="border"
              position={{ base: "absolute", md: "static" }}
              zIndex={{ base: "2", md: "auto" }}
              h="100%"
              shadow={{ base: "lg", md: "none" }}
            >
              <PalettePanel
                id={asset.id}
                onAdd={(item) => add(item, middle(), null)}
                onDrag={(item) => {
                  held.current = item;
                }}
              />
            </Box>
          ) : null}
          <Box flex="1" minW="0" position="relative">
            <Canvas key={shownPath} snaps={snaps} sizes={sizes} onNotice={setNotice} {...canvasHandlers} />
            {notice === null ? null : (
              <Box position="absolute" bottom="0" left="0" right="0">
                <Toast text={notice} tone="told" onGone={() => setNotice(null)} />
              </Box>
            )}
          </Box>
          {isPanelOpen ? (
            <Flex
              as="aside"
              aria-label="Panel"
              direction="column"
              w={panel === "code" ? { base: "100%", md: "46%" } : { base: "100%", md: "80" }}
              maxW="100%"
              flexShrink="0"
              borderLeftWidth="1px"
              borderColor="border"
              bg="bg.panel"
              position={{ base: "absolute", md: "static" }}
              right="0"
              zIndex={{ base: "2", md: "auto" }}
              h="100%"
            >
              <Flex align="center" borderBottomWidth="1px" borderColor="border" px="1">
                <Flex role="tablist" aria-label="Panels" flex="1">
                  {panels.map((each) => (
                    <chakra.button
                      key={each}
                      type="button"
                      role="tab"
                      aria-selected={each === panel}
                      px="2"
                      h="8"
                      fontSize="sm"
                      fontWeight="medium"
                      color={each === panel ? "fg" : "fg.muted"}
                      borderBottomWidth="2px"
                      borderColor={each === panel ? "accent.solid" : "transparent"}
                      outlineOffset="-2px"
                      onClick={() => show(each)}
                    >
                      {panelWords[each]}
                      {each === "problems" && errors > 0 ? (
                        <chakra.span ml="1" fontSize="xs" color="fg.error">
                          {errors}
                        </chakra.span>
                      ) : null}
                    </chakra.button>
                  ))}
                </Flex>
                <IconButton
                  label="Close the panel"
                  onClick={() => {
                    setIsClosed(true);
                    change({ panel: "" });
                  }}
                >
                  <X />
                </IconButton>
              </Flex>
              <Box role="tabpanel" aria-label={panelWords[panel]} tabIndex={-1} flex="1" minH="0" overflowY="auto">
                {panel === "node" ? (
                  <NodePanel
                    problems={problems}
                    runId={runId}
                    looks={looks}
                    stale={stale}
                    pins={pins}
                    onPin={pin}
                    mayRun={mayRun}
                    onRun={(of) => askRun(of, true)}
                    actions={actions}
                    onMakeModule={makeModule}
                    onUpdate={setUpdating}
                  />
                ) : panel === "problems" ? (
                  <ProblemsPanel problems={problems} onGo={goToProblem} onUpdate={setUpdating} />
                ) : panel === "code" ? (
                  <Suspense fallback={null}>
                    <CodePanel />
                  </Suspense>
                ) : (
                  <RunPanel
                    shown={shown}
                    stale={stale}
                    lastRun={runId === "" ? asset.lastRun : null}
                    onLook={(last) => change({ run: last })}
                    isOld={isOld}
                    typed={typed}
                    onType={setTyped}
                    part={part}
                    partText={partText(part, graph)}
                    isBusy={start.isPending}
                    error={start.error}
                    mayRun={mayRun}
                    earlier={ranGraph?.run === runId ? ranGraph.earlier : ""}
                    onRun={run}
                    onLeave={() => change({ run: "" })}
                  />
                )}
              </Box>
            </Flex>
          ) : null}
        </Flex>
      </Flex>
      {finding === null ? null : (
        <FindNode
          id={asset.id}
          wire={finding.wire}
          onClose={() => setFinding(null)}
          onChoose={(item) => {
            setFinding(null);
            add(item, finding.at, finding.wire);
          }}
        />
      )}
      {searching ? (
        <FindInGraph
          onClose={() => setSearching(false)}
          onGo={(to, node) => {
            setSearching(false);
            store.enter(to, [node]);
            lookAt(node);
          }}
        />
      ) : null}
      {making === null ? null : <MakeModuleDialog ids={making} onMade={setNotice} onClose={() => setMaking(null)} />}
      {updating === null ? null : <ModuleUpdateDialog update={updating} onDone={setNotice} onClose={() => setUpdating(null)} />}
      {connecting === null ? null : (
        <ConnectDialog
          node={connecting}
          onClose={() => {
            setConnecting(null);
            focusNode(connecting);
          }}
        />
      )}
      {autosave?.conflict == null || !isDeciding ? null : (
        <GraphConflictDialog conflict={autosave.conflict} mine={graph} onSettle={autosave.settle} onClose={() => setIsDeciding(false)} />
      )}
    </MarksProvider>
  );
}

function partText({ until, from, only }: RunPart, graph: FlowBody): string {
  if (only !== undefined) return `Only ${titleAt(graph, only)}`;
  if (from !== undefined) return `From ${titleAt(graph, from)}`;
  return until === undefined ? "All of it" : `To ${titleAt(graph, until)}`;
}
