import { Handle, type NodeProps, NodeResizer, Position } from "@xyflow/react";
import {
  ArrowUpCircle,
  Ban,
  CircleAlert,
  CircleCheck,
  CircleDashed,
  CircleSlash,
  CircleX,
  History,
  Hourglass,
  LoaderCircle,
  type LucideIcon,
  Pin,
  Recycle,
  TriangleAlert,
} from "lucide-react";
import type { NodeState } from "@syla/contracts/node-runs";
import { memo } from "react";
import { useBuilderStore } from "./builder-store.ts";
import type { CanvasNode, PortLook } from "./canvas-nodes.ts";
import { configure } from "./edits/configure.ts";
import { moveTo } from "./edits/move.ts";
import { changeAt } from "./edits/bodies.ts";
import { kindLooks, titleOf } from "./kinds.ts";
import { type Mark, useMark } from "./marks.ts";

/** How the states of nodes are written and drawn: always a word and a shape. */
export const stateLooks: Readonly<Record<NodeState, { readonly label: string; readonly icon: LucideIcon; readonly color: string }>> = {
  pending: { label: "Pending", icon: CircleDashed, color: "fg.muted" },
  running: { label: "Running", icon: LoaderCircle, color: "fg.info" },
  waiting: { label: "Waiting for a person", icon: Hourglass, color: "fg.warning" },
  succeeded: { label: "Succeeded", icon: CircleCheck, color: "fg.success" },
  failed: { label: "Failed", icon: CircleX, color: "fg.error" },
  skipped: { label: "Skipped", icon: CircleSlash, color: "fg.muted" },
  cancelled: { label: "Cancelled", icon: CircleSlash, color: "fg.muted" },
  reused: { label: "Reused", icon: Recycle, color: "fg.success" },
};

/** How a state is shown whose result is out of date. */
export function stateLook(
  state: NodeState,
  isStale: boolean,
): { readonly label: string; readonly icon: LucideIcon; readonly color: string } {
  const look = stateLooks[state];
  return isStale ? { label: `${look.label}, out of date`, icon: History, color: "fg.warning" } : look;
}

/** A node with its ports. Plain elements with classes: there may be a thousand. */
export const NodeView = memo(function NodeView({ id, data: { node, inputs, outputs } }: NodeProps<CanvasNode>) {
  const mark = useMark(id);
  const look = kindLooks[node.kind];
  const Icon = look.icon;
  const rows = Math.max(inputs.length, outputs.length);
  return (
    <div
      className="flow-node"
      data-category={look.category}
      data-bypassed={node.bypassed === true || undefined}
      data-state={mark.state ?? undefined}
      data-severity={mark.severity ?? undefined}
      data-stale={mark.isStale || undefined}
      data-lit={mark.isLit || undefined}
    >
      <div className="flow-node-head">
        <Icon size={14} aria-hidden />
        <span className="flow-node-title">{titleOf(node)}</span>
        {node.kind === "model" ? <span className="flow-node-badge">{node.config.provider}</span> : null}
        <MarkIcons mark={mark} isBypassed={node.bypassed === true} />
      </div>
      {Array.from({ length: rows }, (_, index) => (
        <div className="flow-ports" key={index}>
          <Port port={inputs[index]} isInput />
          <Port port={outputs[index]} isInput={false} />
        </div>
      ))}
      <div className="flow-node-foot">
        <span>{look.label}</span>
        {mark.use === "" ? null : (
          <span className="flow-node-use" data-tip={mark.useTip}>
            {mark.use}
          </span>
        )}
        {mark.note === "" ? null : <span>{mark.note}</span>}
      </div>
    </div>
  );
});

function MarkIcons({ mark, isBypassed }: { readonly mark: Mark; readonly isBypassed: boolean }) {
  const state = mark.state === null ? null : stateLook(mark.state, mark.isStale);
  return (
    <span className="flow-node-marks">
      {isBypassed ? <Shape icon={Ban} label="Bypassed" /> : null}
      {mark.hasUpdate ? <Shape icon={ArrowUpCircle} label="A newer version is there" kind="update" /> : null}
      {mark.isPinned ? <Shape icon={Pin} label="Its output is pinned" /> : null}
      {mark.severity === null ? null : (
        <Shape
          icon={mark.severity === "error" ? CircleAlert : TriangleAlert}
          label={mark.severity === "error" ? "Has a problem" : "Has a warning"}
          kind={mark.severity}
        />
      )}
      {state === null ? null : <Shape icon={state.icon} label={state.label} kind={mark.state ?? ""} />}
    </span>
  );
}

function Shape({ icon: Icon, label, kind = "" }: { readonly icon: LucideIcon; readonly label: string; readonly kind?: string }) {
  return (
    <span role="img" aria-label={label} data-tip={label} data-kind={kind}>
      <Icon size={14} aria-hidden />
    </span>
  );
}

function Port({ port, isInput }: { readonly port: PortLook | undefined; readonly isInput: boolean }) {
  if (port === undefined) return <span />;
  return (
    <span className={isInput ? "flow-port flow-port-in" : "flow-port flow-port-out"} data-tip={port.tip}>
      <Handle
        type={isInput ? "target" : "source"}
        position={isInput ? Position.Left : Position.Right}
        id={port.name}
        data-needed={port.isRequired || undefined}
      />
      <span className="flow-port-name">{port.name}</span>
    </span>
  );
}

/** Words beside the graph. */
export const NoteView = memo(function NoteView({ data: { node } }: NodeProps<CanvasNode>) {
  if (node.kind !== "note") return null;
  return (
    <div className="flow-note">
      {node.label === "" ? null : <strong>{node.label}</strong>}
      <span>{node.config.text === "" ? "An empty note" : node.config.text}</span>
    </div>
  );
});

/** A frame around nodes, which it takes along. */
export const FrameView = memo(function FrameView({ id, data: { node }, selected }: NodeProps<CanvasNode>) {
  const store = useBuilderStore();
  if (node.kind !== "note") return null;
  const resize = (box: { x: number; y: number; width: number; height: number }) => {
    const { graph, path } = store.get();
    const frame = { width: Math.round(box.width), height: Math.round(box.height) };
    const sized = configure(graph, path, id, { ...node.config, frame });
    store.commit(changeAt(sized, path, (body) => moveTo(body, new Map([[id, box]]))));
  };
  return (
    <div className="flow-frame">
      <NodeResizer isVisible={selected} minWidth={120} minHeight={80} onResizeEnd={(_, box) => resize(box)} />
      <strong>{node.label}</strong>
      <span>{node.config.text}</span>
    </div>
  );
});
