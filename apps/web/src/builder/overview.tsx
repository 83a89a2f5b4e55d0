import { Panel, useReactFlow, useStoreApi } from "@xyflow/react";
import { type PointerEvent, useEffect, useLayoutEffect, useMemo, useRef } from "react";
import type { CanvasEdge, CanvasNode } from "./canvas-nodes.ts";
import { assumedSize, type Point } from "./edits/move.ts";
import { categories, kindLooks } from "./kinds.ts";
import { useSettled } from "./use-problems.ts";

/** Pixels of the page. */
const shown = { width: 160, height: 104 } as const;
/** The picture is drawn when nothing has moved for so long. */
const settledMs = 100;
/** Around the graph, as a part of what is shown. */
const margin = 0.06;
/** Smaller than this a node could not be seen. */
const least = 1.5;

/** From places in the graph to pixels of the overview. */
interface Projection {
  readonly scale: number;
  readonly x: number;
  readonly y: number;
}

function sizeOf({ measured, width, height }: CanvasNode): { readonly width: number; readonly height: number } {
  return { width: measured?.width ?? width ?? assumedSize.width, height: measured?.height ?? height ?? assumedSize.height };
}

function projectionFor(nodes: readonly CanvasNode[]): Projection {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const node of nodes) {
    const { width, height } = sizeOf(node);
    left = Math.min(left, node.position.x);
    top = Math.min(top, node.position.y);
    right = Math.max(right, node.position.x + width);
    bottom = Math.max(bottom, node.position.y + height);
  }
  if (left > right) return { scale: 0.1, x: 0, y: 0 };
  const scale = Math.min((shown.width * (1 - 2 * margin)) / (right - left), (shown.height * (1 - 2 * margin)) / (bottom - top), 0.25);
  return { scale, x: (shown.width - (left + right) * scale) / 2, y: (shown.height - (top + bottom) * scale) / 2 };
}

function draw(canvas: HTMLCanvasElement, nodes: readonly CanvasNode[], { scale, x, y }: Projection): void {
  const context = canvas.getContext("2d");
  if (context === null) return;
  const ratio = window.devicePixelRatio;
  canvas.width = shown.width * ratio;
  canvas.height = shown.height * ratio;
  context.scale(ratio, ratio);
  const style = getComputedStyle(canvas);
  const colors = new Map(categories.map((category) => [category, style.getPropertyValue(`--${category}`)]));
  for (const node of nodes) {
    const { width, height } = sizeOf(node);
    context.fillStyle = colors.get(kindLooks[node.data.node.kind].category) ?? "";
    context.globalAlpha = node.type === "frame" ? 0.2 : 1;
    const place = [node.position.x * scale + x, node.position.y * scale + y] as const;
    context.fillRect(...place, Math.max(least, width * scale), Math.max(least, height * scale));
  }
}

interface OverviewProps {
  readonly nodes: readonly CanvasNode[];
  /** It is drawn in colours of the page. */
  readonly colorMode: string;
}

/**
 * The whole graph, small, and what of it is in sight. One picture: an element for each node, as React Flow's own has them, would be asked
 * with each frame of a zoom.
 */
export function Overview({ nodes: current, colorMode }: OverviewProps) {
  const flow = useReactFlow<CanvasNode, CanvasEdge>();
  const store = useStoreApi();
  // What is dragged comes first: the picture follows when it stands.
  const nodes = useSettled(current, settledMs);
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const projection = useMemo(() => projectionFor(nodes), [nodes]);

  useEffect(() => {
    const request = requestAnimationFrame(() => {
      if (canvas.current !== null) draw(canvas.current, nodes, projection);
    });
    return () => cancelAnimationFrame(request);
  }, [nodes, projection, colorMode]);

  useLayoutEffect(() => {
    const place = () => {
      const { transform, width, height } = store.getState();
      const [left, top, zoom] = transform;
      const scale = projection.scale / zoom;
      const style = frame.current?.style;
      if (style === undefined) return;
      style.transform = `translate(${projection.x - left * scale}px, ${projection.y - top * scale}px)`;
      style.width = `${width * scale}px`;
      style.height = `${height * scale}px`;
    };
    place();
    return store.subscribe((now, before) => {
      if (now.transform !== before.transform || now.width !== before.width || now.height !== before.height) place();
    });
  }, [store, projection]);

  useEffect(() => {
    const element = box.current;
    const onWheel = (event: WheelEvent) => {
      event.preventDefault();
      event.stopPropagation();
      void flow.zoomTo(flow.getZoom() * 2 ** (-event.deltaY * 0.004));
    };
    element?.addEventListener("wheel", onWheel, { passive: false });
    return () => element?.removeEventListener("wheel", onWheel);
  }, [flow]);

  const look = (event: PointerEvent<HTMLDivElement>) => {
    const { left, top } = event.currentTarget.getBoundingClientRect();
    const at: Point = {
      x: (event.clientX - left - projection.x) / projection.scale,
      y: (event.clientY - top - projection.y) / projection.scale,
    };
    void flow.setCenter(at.x, at.y, { zoom: flow.getZoom(), duration: 0 });
  };
  return (
    <Panel position="bottom-right" className="flow-overview">
      <div
        ref={box}
        role="img"
        aria-label="Overview of the graph"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          look(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) look(event);
        }}
      >
        <canvas ref={canvas} style={shown} />
        <div ref={frame} className="flow-overview-sight" />
      </div>
    </Panel>
  );
}
