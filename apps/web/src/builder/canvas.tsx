import {
  applyNodeChanges,
  Background,
  BackgroundVariant,
  type Connection,
  Controls,
  type FinalConnectionState,
  type NodeChange,
  type EdgeChange,
  type OnConnectStartParams,
  ReactFlow,
  SelectionMode,
  useReactFlow,
  type Viewport,
} from "@xyflow/react";
import "@xyflow/react/dist/style.css";
import "./builder.css";
import {
  type DragEvent,
  type FocusEvent,
  type KeyboardEvent,
  memo,
  type MouseEvent,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { useColorPreference } from "../app/color-mode.ts";
import { shownBody, useBuilder, useBuilderStore } from "./builder-store.ts";
import { canvasEdges, type CanvasEdge, canvasNodes, type CanvasNode } from "./canvas-nodes.ts";
import { fitting, focusNode, gridSize, wayIntoSight } from "./sight.ts";
import { dimUnfit, showAllPorts } from "./connecting-look.ts";
import { type Candidate, candidatesFor, connect, firstFit, refusalToConnect } from "./edits/connect.ts";
import { moveTo, type Point, type Sizes, withFramed } from "./edits/move.ts";
import { remove } from "./edits/remove.ts";
import type { PortEnd, Wire } from "./facts.ts";
import { Cursors } from "./live/cursors.tsx";
import { useDragged, useTellingDrag } from "./live/use-dragged.ts";
import { EmptyCanvas } from "./empty-canvas.tsx";
import { Overview } from "./overview.tsx";
import { FrameView, NodeView, NoteView } from "./node-view.tsx";
import { draggedItem } from "./palette-items.ts";
import { useSteady } from "./use-steady.ts";
import { WireView } from "./wire-view.tsx";

const nodeTypes = { node: NodeView, note: NoteView, frame: FrameView };
const edgeTypes = { wire: WireView };
const snapGrid: [number, number] = [gridSize, gridSize];
const addingKeys = ["Meta", "Control"];
const fittingAll = { ...fitting, minZoom: 0.1 };
/** Below this zoom words are not drawn. */
const farZoom = 0.3;
/** Below this zoom there may be so many nodes in sight that drawing them takes longer than a frame. */
const pictureZoom = 0.5;

/** Where a wire was let go over nothing. */
export interface Dropped {
  readonly at: Point;
  readonly end: PortEnd;
  readonly side: "output" | "input";
}

interface CanvasProps {
  readonly snaps: boolean;
  /** Offers nodes for a place, or for a wire that ends there. */
  readonly onFind: (at: Point, wire: Dropped | null) => void;
  /** An item of the palette was dropped, into a wire perhaps. */
  readonly onDropItem: (key: string, at: Point, edge: string | null) => void;
  /** A file was dropped. */
  readonly onDropFile: (file: File, at: Point) => void;
  readonly onNotice: (text: string) => void;
  readonly onOpen: (id: string) => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  /** How large the nodes are that are drawn. */
  readonly sizes: { current: Sizes };
}

/** The graph, to look at and to work on. What is around it changes more often than it does. */
export const Canvas = memo(function Canvas({ snaps, onFind, onDropItem, onDropFile, onNotice, onOpen, onKeyDown, sizes }: CanvasProps) {
  const store = useBuilderStore();
  const body = useBuilder(shownBody);
  const selection = useBuilder((state) => state.selection);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const colorMode = useColorPreference();
  const box = useRef<HTMLDivElement>(null);
  // The first node of an empty graph stays where it is put.
  const [fitsFirst] = useState(body.nodes.length > 0);
  const current = [...selection.nodes].at(-1) ?? body.nodes[0]?.id;
  const places = useDragged(body);
  const [nodes, setNodes] = useState<CanvasNode[]>(() => canvasNodes(body, [], { selected: selection.nodes, current, places }));
  const [edges, setEdges] = useState<CanvasEdge[]>(() => canvasEdges(body, [], selection.edges));
  useLayoutEffect(
    () => setNodes((before) => canvasNodes(body, before, { selected: selection.nodes, current, places })),
    [body, selection, current, places],
  );
  useLayoutEffect(() => setEdges((before) => canvasEdges(body, before, selection.edges)), [body, selection]);

  const focus = useKeptFocus(box, current);
  const only = selection.nodes.size === 1 ? current : undefined;
  useEffect(() => {
    if (only === undefined || box.current === null) return;
    const look = () => {
      const way = wayIntoSight(only);
      const at = flow.getViewport();
      if (way === null) void flow.fitView({ nodes: [{ id: only }], minZoom: at.zoom, maxZoom: at.zoom });
      else if (way.x !== 0 || way.y !== 0) void flow.setViewport({ ...at, x: at.x + way.x, y: at.y + way.y });
    };
    // The panel that opens for it takes some of the room.
    const observer = new ResizeObserver(look);
    observer.observe(box.current);
    return () => observer.disconnect();
  }, [only, flow]);
  const onNodesChange = (changes: NodeChange<CanvasNode>[]) => {
    const chosen = changes.filter((change) => change.type === "select");
    if (chosen.length > 0) {
      const next = new Set(store.get().selection.nodes);
      for (const { id, selected } of chosen)
        if (selected) next.add(id);
        else next.delete(id);
      store.select(next, store.get().selection.edges);
    }
    const measured = changes.flatMap((change) =>
      change.type === "dimensions" && change.dimensions !== undefined ? [[change.id, change.dimensions] as const] : [],
    );
    if (measured.length > 0) sizes.current = new Map([...sizes.current, ...measured]);
    const others = changes.filter(({ type }) => type === "position" || type === "dimensions");
    if (others.length > 0) setNodes((before) => applyNodeChanges(others, before));
  };
  const onEdgesChange = (changes: EdgeChange<CanvasEdge>[]) => {
    const next = new Set(store.get().selection.edges);
    for (const change of changes) {
      if (change.type !== "select") continue;
      if (change.selected) next.add(change.id);
      else next.delete(change.id);
    }
    store.select(store.get().selection.nodes, next);
  };

  const drag = useDragging(sizes, setNodes);
  const wiring = useWiring(box, onFind, onNotice);
  const place = (event: { clientX: number; clientY: number }) => flow.screenToFlowPosition({ x: event.clientX, y: event.clientY });
  const handlers = useSteady({
    onNodesChange,
    onEdgesChange,
    onConnect: (connection: Connection) => store.edit((now) => connect(now, wireOf(connection))),
    onConnectStart: wiring.onStart,
    onConnectEnd: wiring.onEnd,
    isValidConnection: wiring.isValid,
    onReconnect: (edge: CanvasEdge, connection: Connection) =>
      store.edit((now) => connect(remove(now, new Set(), new Set([edge.id])), wireOf(connection))),
    onNodeDragStart: drag.onStart,
    onNodeDrag: drag.onDrag,
    onNodeDragStop: drag.onStop,
    onSelectionDragStart: (event: MouseEvent, dragged: CanvasNode[]) => drag.onStart(event, dragged[0], dragged),
    onSelectionDrag: (event: MouseEvent, dragged: CanvasNode[]) => drag.onDrag(event, dragged[0], dragged),
    onSelectionDragStop: (event: MouseEvent, dragged: CanvasNode[]) => drag.onStop(event, dragged[0], dragged),
    onNodeDoubleClick: (_: MouseEvent, node: CanvasNode) => onOpen(node.id),
    // What moves is drawn once and shown larger or smaller meanwhile, not drawn anew with each frame. From near that would be a large picture.
    onMoveStart: (_: unknown, { zoom }: Viewport) => void box.current?.toggleAttribute("data-moving", zoom < pictureZoom),
    onMoveEnd: () => void box.current?.toggleAttribute("data-moving", false),
    onMove: (_: unknown, { zoom }: Viewport) => box.current?.toggleAttribute("data-far", zoom < farZoom),
  });

  return (
    // A canvas is worked on with keys, like an editor: its role says so, and its description which.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      ref={box}
      className="flow-canvas"
      role="application"
      aria-label="The graph"
      aria-roledescription="canvas"
      aria-describedby="canvas-keys"
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={body.nodes.length === 0 ? 0 : -1}
      style={{ height: "100%" }}
      onKeyDown={onKeyDown}
      onFocus={focus.onFocus}
      onBlur={focus.onBlur}
      onDragOver={(event: DragEvent) => {
        const isItem = event.dataTransfer.types.includes(draggedItem);
        if (!isItem && !event.dataTransfer.types.includes("Files")) return;
        event.preventDefault();
        event.dataTransfer.dropEffect = "copy";
        showWire(box.current, isItem ? wireUnder(event.target) : null);
      }}
      onDragLeave={(event: DragEvent) => {
        if (!(event.relatedTarget instanceof Node) || box.current?.contains(event.relatedTarget) !== true) showWire(box.current, null);
      }}
      onDrop={(event: DragEvent) => {
        showWire(box.current, null);
        const key = event.dataTransfer.getData(draggedItem);
        const [file] = event.dataTransfer.files;
        if (key === "" && file === undefined) return;
        event.preventDefault();
        if (file !== undefined) onDropFile(file, place(event));
        else onDropItem(key, place(event), wireUnder(event.target)?.dataset["id"] ?? null);
      }}
      onDoubleClick={(event: MouseEvent) => {
        if (event.target instanceof Element && event.target.classList.contains("react-flow__pane")) onFind(place(event), null);
      }}
    >
      <span id="canvas-keys" hidden>
        Tab finds a node to add; Escape, then Tab, leaves the canvas. Arrows go to other nodes, with Shift they move them. C connects, Enter
        edits.
      </span>
      <ReactFlow<CanvasNode, CanvasEdge>
        colorMode={colorMode}
        nodes={nodes}
        edges={edges}
        nodeTypes={nodeTypes}
        edgeTypes={edgeTypes}
        {...handlers}
        nodesDraggable={!isReadOnly}
        nodesConnectable={!isReadOnly}
        edgesReconnectable={!isReadOnly}
        edgesFocusable={false}
        disableKeyboardA11y
        deleteKeyCode={null}
        zoomOnDoubleClick={false}
        selectionMode={SelectionMode.Partial}
        selectionKeyCode="Shift"
        multiSelectionKeyCode={addingKeys}
        panOnScroll
        snapToGrid={snaps}
        snapGrid={snapGrid}
        minZoom={0.05}
        maxZoom={2}
        connectionRadius={24}
        elevateNodesOnSelect={false}
        fitView={fitsFirst}
        fitViewOptions={fitting}
        onlyRenderVisibleElements={body.nodes.length > manyNodes}
      >
        <Background variant={BackgroundVariant.Dots} gap={gridSize} size={1} />
        <Cursors />
        <Controls showInteractive={false} position="bottom-left" fitViewOptions={fittingAll} />
        {body.nodes.length === 0 ? null : <Overview nodes={nodes} colorMode={colorMode} />}
      </ReactFlow>
      {body.nodes.length === 0 ? <EmptyCanvas isReadOnly={isReadOnly} /> : null}
    </div>
  );
});

/** With more, only what is in sight is drawn. */
const manyNodes = 3000;

/** The wire that the pointer is over. */
function wireUnder(target: EventTarget): SVGElement | null {
  return target instanceof Element ? target.closest<SVGElement>(".react-flow__edge") : null;
}

/** Shows into which wire a node would be dropped. */
function showWire(canvas: HTMLElement | null, wire: SVGElement | null): void {
  for (const other of canvas?.querySelectorAll(".react-flow__edge[data-drop]") ?? [])
    if (other !== wire) delete (other as SVGElement).dataset["drop"];
  if (wire !== null) wire.dataset["drop"] = "";
}

function wireOf({ source, sourceHandle, target, targetHandle }: Connection | CanvasEdge): Wire {
  return { from: { node: source, port: sourceHandle ?? "" }, to: { node: target, port: targetHandle ?? "" } };
}

/** When the node that has the focus goes, another has it: keys go on. */
function useKeptFocus(box: { current: HTMLElement | null }, current: string | undefined) {
  const isOurs = useRef(false);
  useEffect(() => {
    if (!isOurs.current || document.activeElement !== document.body) return;
    if (current === undefined) box.current?.focus();
    else focusNode(current);
  });
  return {
    onFocus: () => {
      isOurs.current = true;
    },
    onBlur: ({ relatedTarget }: FocusEvent) => {
      if (relatedTarget !== null) isOurs.current = box.current?.contains(relatedTarget) ?? false;
    },
  };
}

/** A drag is one step, and a frame takes along what lies in it. */
function useDragging(sizes: { current: Sizes }, setNodes: (change: (before: CanvasNode[]) => CanvasNode[]) => void) {
  const store = useBuilderStore();
  const telling = useTellingDrag();
  const carried = useRef<{ readonly lead: Point; readonly places: ReadonlyMap<string, Point> } | null>(null);
  const moved = (at: Point): Map<string, Point> => {
    const { lead, places } = carried.current ?? { lead: at, places: new Map<string, Point>() };
    return new Map([...places].map(([id, { x, y }]) => [id, { x: x + at.x - lead.x, y: y + at.y - lead.y }]));
  };
  /** What is taken along is moved here like what is held. */
  const carry = (places: ReadonlyMap<string, Point>, dragging: boolean) =>
    setNodes((before) =>
      before.map((each) => {
        const position = places.get(each.id);
        return position === undefined ? each : { ...each, position, dragging };
      }),
    );
  return {
    onStart: (_: unknown, node: CanvasNode | undefined, dragged: readonly CanvasNode[]) => {
      const body = shownBody(store.get());
      const ids = new Set(dragged.map(({ id }) => id));
      const all = withFramed(body, ids, sizes.current);
      const along = body.nodes.filter(({ id }) => all.has(id) && !ids.has(id));
      carried.current =
        node === undefined || along.length === 0
          ? null
          : { lead: node.position, places: new Map(along.map(({ id, position }) => [id, position])) };
    },
    onDrag: (_: unknown, node: CanvasNode | undefined, dragged: readonly CanvasNode[]) => {
      if (node === undefined) return;
      const places = moved(node.position);
      if (places.size > 0) carry(places, true);
      telling.move(node.id, node.position, [...dragged.flatMap(({ id }) => (id === node.id ? [] : [id])), ...places.keys()]);
    },
    onStop: (_: unknown, node: CanvasNode | undefined, dragged: readonly CanvasNode[]) => {
      const along = node === undefined ? new Map<string, Point>() : moved(node.position);
      const places = new Map<string, Point>([...dragged.map(({ id, position }) => [id, position] as const), ...along]);
      carried.current = null;
      if (along.size > 0) carry(along, false);
      store.edit((body) => moveTo(body, places));
      telling.letGo();
    },
  };
}

/** While a wire is drawn: which ports it may lead to, and why not to others. */
function useWiring(box: { current: HTMLElement | null }, onFind: CanvasProps["onFind"], onNotice: CanvasProps["onNotice"]) {
  const store = useBuilderStore();
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const begun = useRef<{
    readonly end: PortEnd;
    readonly side: "output" | "input";
    readonly refusals: ReadonlyMap<string, Candidate>;
  } | null>(null);
  const keyOf = ({ node, port }: PortEnd) => `${node} ${port}`;
  return {
    onStart: (_: unknown, { nodeId, handleId, handleType }: OnConnectStartParams) => {
      if (nodeId === null || handleId === null) return;
      const end = { node: nodeId, port: handleId };
      const side = handleType === "source" ? "output" : "input";
      const candidates = candidatesFor(shownBody(store.get()), end, side);
      begun.current = { end, side, refusals: new Map(candidates.map((candidate) => [keyOf(candidate), candidate])) };
      if (box.current !== null) dimUnfit(box.current, side, candidates);
    },
    isValid: (connection: Connection | CanvasEdge): boolean => {
      const wire = wireOf(connection);
      const { side, end, refusals } = begun.current ?? {};
      const other = side === "output" ? wire.to : wire.from;
      const same = side === "output" ? wire.from : wire.to;
      if (refusals !== undefined && end !== undefined && keyOf(same) === keyOf(end)) {
        const candidate = refusals.get(keyOf(other));
        return candidate !== undefined && candidate.refusal === undefined;
      }
      return refusalToConnect(shownBody(store.get()), wire) === undefined;
    },
    onEnd: (event: globalThis.MouseEvent | TouchEvent, { isValid, toNode, toHandle }: FinalConnectionState) => {
      const was = begun.current;
      begun.current = null;
      if (box.current !== null) showAllPorts(box.current);
      if (was === null || isValid === true || store.get().isReadOnly) return;
      const touch = "changedTouches" in event ? event.changedTouches[0] : event;
      if (touch === undefined) return;
      if (toHandle?.id != null && toNode !== null) {
        const refusal = was.refusals.get(keyOf({ node: toNode.id, port: toHandle.id }))?.refusal;
        onNotice(refusal ?? "A wire leads from an output to an input.");
        return;
      }
      const over = document.elementFromPoint(touch.clientX, touch.clientY);
      const onNode = over?.closest<HTMLElement>(".react-flow__node")?.dataset["id"];
      if (onNode !== undefined && onNode !== was.end.node) {
        const wire = firstFit(shownBody(store.get()), was.end, was.side, onNode);
        if (wire === undefined) onNotice("No port of this node fits.");
        else store.edit((body) => connect(body, wire));
        return;
      }
      if (onNode !== undefined || over?.closest(".flow-canvas") === null) return;
      const at = flow.screenToFlowPosition({ x: touch.clientX, y: touch.clientY });
      onFind(at, { at, end: was.end, side: was.side });
    },
  };
}
