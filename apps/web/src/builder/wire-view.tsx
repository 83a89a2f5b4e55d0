import { BaseEdge, type EdgeProps, getBezierPath } from "@xyflow/react";
import { memo } from "react";
import type { CanvasEdge } from "./canvas-nodes.ts";
import { useMark } from "./marks.ts";

/** A wire in the colour of where it comes from. Only those into a node that runs move. */
export const WireView = memo(function WireView({
  id,
  target,
  sourceX,
  sourceY,
  targetX,
  targetY,
  sourcePosition,
  targetPosition,
}: EdgeProps<CanvasEdge>) {
  const isActive = useMark(target).state === "running";
  const [path] = getBezierPath({ sourceX, sourceY, targetX, targetY, sourcePosition, targetPosition });
  return <BaseEdge id={id} path={path} interactionWidth={16} className={isActive ? "wire-active" : ""} />;
});
