import type { FlowBody } from "@syla/contracts/flow";
import { useContext, useEffect, useMemo } from "react";
import { useBuilder } from "../builder-store.ts";
import type { Point } from "../edits/move.ts";
import { draggedPlaces } from "./dragged-places.ts";
import { LiveDraftContext, useDrags } from "./use-live-draft.ts";

/** So many nodes are told of besides the one that is held. */
const mostAlong = 24;

/** Where the nodes are that others are moving on the graph that is shown. */
export function useDragged(body: FlowBody): ReadonlyMap<string, Point> {
  const path = useBuilder((state) => state.path).join("/");
  const drags = useDrags();
  return useMemo(
    () =>
      draggedPlaces(
        body,
        drags.filter((drag) => drag.path === path),
      ),
    [body, drags, path],
  );
}

/** Tells the others what is being moved here, and that it was let go. */
export function useTellingDrag() {
  const draft = useContext(LiveDraftContext);
  useEffect(() => () => draft?.showDrag(null), [draft]);
  return useMemo(
    () => ({
      move: (node: string, { x, y }: Point, along: readonly string[]) =>
        draft?.showDrag({ node, to: { x: Math.round(x), y: Math.round(y) }, along: along.slice(0, mostAlong) }),
      letGo: () => draft?.showDrag(null),
    }),
    [draft],
  );
}
