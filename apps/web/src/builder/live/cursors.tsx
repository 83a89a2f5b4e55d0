import { useInternalNode, useReactFlow, useStore, ViewportPortal } from "@xyflow/react";
import { type CSSProperties, type ReactNode, useContext, useEffect } from "react";
import "./cursors.css";
import { useBuilder } from "../builder-store.ts";
import { assumedSize } from "../edits/move.ts";
import type { Drawer } from "./live-draft.ts";
import { LiveDraftContext, useDrawers } from "./use-live-draft.ts";

const mostShownNodes = 12;

/** The pointers of the others on the graph that is shown, and what they have chosen; and tells them the same of whoever looks. */
export function Cursors() {
  const draft = useContext(LiveDraftContext);
  if (draft === null) return null;
  return (
    <>
      <Telling />
      <Shown />
    </>
  );
}

function Telling() {
  const draft = useContext(LiveDraftContext);
  const flow = useReactFlow();
  const path = useBuilder((state) => state.path);
  const chosen = useBuilder((state) => state.selection.nodes);
  useEffect(() => draft?.show({ path: path.join("/"), nodes: [...chosen].slice(0, mostShownNodes) }), [draft, path, chosen]);
  useEffect(() => {
    const canvas = document.querySelector<HTMLElement>(".flow-canvas");
    if (canvas === null) return;
    const move = ({ clientX, clientY }: PointerEvent) => {
      const { x, y } = flow.screenToFlowPosition({ x: clientX, y: clientY }, { snapToGrid: false });
      draft?.show({ at: { x: Math.round(x), y: Math.round(y) } });
    };
    const leave = () => draft?.show({ at: null });
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerleave", leave);
    return () => {
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerleave", leave);
      leave();
    };
  }, [draft, flow]);
  return null;
}

function Shown() {
  const path = useBuilder((state) => state.path).join("/");
  const here = useDrawers().filter((other) => other.path === path);
  // Names are read from afar, too.
  const unscaled = useStore(({ transform }) => 1 / transform[2]);
  if (here.length === 0) return null;
  return (
    <ViewportPortal>
      <div style={{ "--drawer-scale": unscaled } as CSSProperties}>
        {here.map((other) => (
          <Frames key={`frames ${other.key}`} other={other} />
        ))}
        {here.map((other) => (
          <Pointer key={other.key} other={other} />
        ))}
      </div>
    </ViewportPortal>
  );
}

/** What somebody has chosen is framed in their colour. */
function Frames({ other: { nodes, name, color } }: { readonly other: Drawer }) {
  return nodes.map((id, index) => (
    <Frame key={id} node={id} color={color}>
      {index === 0 ? (
        <span className="drawer-name" style={{ backgroundColor: color }}>
          {name}
        </span>
      ) : null}
    </Frame>
  ));
}

interface FrameProps {
  readonly node: string;
  readonly color: string;
  readonly children: ReactNode;
}

/** It goes where the node goes, whoever moves it. */
function Frame({ node: id, color, children }: FrameProps) {
  const node = useInternalNode(id);
  if (node === undefined) return null;
  const { x, y } = node.internals.positionAbsolute;
  const { width, height } = { ...assumedSize, ...node.measured };
  return (
    <div className="drawer-frame" style={{ transform: `translate(${x - 5}px, ${y - 5}px)`, width: width + 10, height: height + 10, color }}>
      {children}
    </div>
  );
}

function Pointer({ other: { at, name, color } }: { readonly other: Drawer }) {
  if (at === null) return null;
  return (
    <div className="drawer-pointer" data-name={name} style={{ transform: `translate(${at.x}px, ${at.y}px) scale(var(--drawer-scale))` }}>
      <svg width="14" height="18" viewBox="0 0 14 18" aria-hidden>
        <path d="M1 1 L1 14 L4.6 10.8 L7 16.4 L9.4 15.3 L7 9.8 L12 9.4 Z" fill={color} stroke="white" strokeWidth="1" />
      </svg>
      <span className="drawer-name" style={{ backgroundColor: color }}>
        {name}
      </span>
    </div>
  );
}
