import type { Point, Sizes } from "./edits/move.ts";
import { useMemo } from "react";
import { syla } from "../app/api.ts";
import { type BuilderStore, shownBody, useBuilderStore } from "./builder-store.ts";
import type { Dropped } from "./canvas.tsx";
import { gridSize } from "./sight.ts";
import { addConnected, addNode } from "./edits/add.ts";
import { align, type Alignment } from "./edits/align.ts";
import { toggleBypass } from "./edits/bypass.ts";
import { collapse, refusalToCollapse } from "./edits/collapse.ts";
import { expand } from "./edits/expand.ts";
import { group } from "./edits/group.ts";
import { insertInto } from "./edits/insert.ts";
import { moveBy, withFramed } from "./edits/move.ts";
import { duplicate } from "./edits/paste.ts";
import { remove } from "./edits/remove.ts";
import { noteRecent, nodeOf, type Placeable } from "./palette-items.ts";

/** What a new node is joined to: the port where a wire began, or a wire that it is put into. */
export type Joint = Dropped | { readonly edge: string };

/** What a person can do to the graph that is shown, from the toolbar, the keys or the palette. */
export interface Actions {
  readonly add: (item: Placeable, at: Point, joint: Joint | null) => Promise<void>;
  readonly deleteSelected: () => void;
  readonly duplicateSelected: () => void;
  readonly bypassSelected: () => void;
  readonly groupSelected: () => void;
  readonly collapseSelected: () => void;
  readonly expandSelected: () => void;
  /** Lays out what is chosen, or everything. */
  readonly tidy: () => Promise<void>;
  readonly align: (alignment: Alignment) => void;
  readonly nudge: (x: number, y: number) => void;
  readonly selectAll: () => void;
}

function actionsOf(store: BuilderStore, sizes: { current: Sizes }, notice: (text: string) => void): Actions {
  const chosen = () => store.get().selection.nodes;
  return {
    add: async (item, at, joint) => {
      const place = { x: Math.round(at.x / gridSize) * gridSize, y: Math.round(at.y / gridSize) * gridSize };
      const module =
        item.kind === "module" && item.item !== undefined
          ? (await syla.compositions.graph(item.item.asset.id, item.item.asset.version ?? undefined)).graph
          : undefined;
      const node = nodeOf(item, place, module);
      const body = shownBody(store.get());
      const isInto = joint !== null && "edge" in joint;
      const joined =
        joint === null ? undefined : isInto ? insertInto(body, node, joint.edge) : addConnected(body, node, joint.end, joint.side);
      const added = joined ?? addNode(body, node);
      store.edit(() => added.body, { select: added.ids });
      if (isInto && joined === undefined) notice("It does not fit into this wire, and stands by itself.");
      noteRecent(item.key);
    },
    deleteSelected: () => {
      const { nodes, edges } = store.get().selection;
      if (nodes.size + edges.size > 0) store.edit((body) => remove(body, nodes, edges));
    },
    duplicateSelected: () => {
      if (chosen().size === 0) return;
      const added = duplicate(shownBody(store.get()), chosen());
      store.edit(() => added.body, { select: added.ids });
    },
    bypassSelected: () => store.edit((body) => toggleBypass(body, chosen())),
    groupSelected: () => {
      const added = group(shownBody(store.get()), chosen(), sizes.current);
      store.edit(() => added.body, { select: added.ids });
    },
    collapseSelected: () => {
      const body = shownBody(store.get());
      const refusal = refusalToCollapse(body, chosen());
      if (refusal !== undefined) return notice(refusal);
      const added = collapse(body, chosen());
      store.edit(() => added.body, { select: added.ids });
    },
    expandSelected: () => {
      const [id] = chosen();
      const node = shownBody(store.get()).nodes.find((each) => each.id === id);
      if (id === undefined || node?.kind !== "module") return notice("Choose a module to expand it.");
      const added = expand(shownBody(store.get()), id);
      store.edit(() => added.body, { select: added.ids });
    },
    tidy: async () => {
      const { tidy } = await import("./edits/tidy.ts");
      const ids = chosen().size > 1 ? chosen() : new Set<string>();
      store.edit((body) => tidy(body, ids, sizes.current));
    },
    align: (alignment) => store.edit((body) => align(body, chosen(), sizes.current, alignment)),
    nudge: (x, y) => store.edit((body) => moveBy(body, withFramed(body, chosen(), sizes.current), { x, y }), { gesture: "nudge" }),
    selectAll: () => store.select(shownBody(store.get()).nodes.map(({ id }) => id)),
  };
}

/** The same functions as long as the same composition is open. */
export function useActions(sizes: { current: Sizes }, onNotice: (text: string) => void): Actions {
  const store = useBuilderStore();
  return useMemo(() => actionsOf(store, sizes, onNotice), [store, sizes, onNotice]);
}
