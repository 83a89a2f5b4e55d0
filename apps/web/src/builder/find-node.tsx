import { useMemo, useState } from "react";
import { shownBody, useBuilder } from "./builder-store.ts";
import type { Dropped } from "./canvas.tsx";
import { ChoiceDialog } from "../ui/choice-dialog.tsx";
import { categoryLabels } from "./kinds.ts";
import { fits, type Placeable } from "./palette-items.ts";
import { ItemIcon, usePlaceables } from "./palette-panel.tsx";

interface FindNodeProps {
  readonly id: string;
  /** A wire that was let go: only what it can lead to is offered. */
  readonly wire: Dropped | null;
  readonly onChoose: (item: Placeable) => void;
  readonly onClose: () => void;
}

/** Finds a node to add by typing. */
export function FindNode({ id, wire, onChoose, onClose }: FindNodeProps) {
  const [query, setQuery] = useState("");
  const body = useBuilder(shownBody);
  const { items } = usePlaceables(id, query);
  const offered = useMemo(
    () => items.filter((item) => item.unusable === null && (wire === null || fits(body, item, wire.end, wire.side))),
    [items, body, wire],
  );
  return (
    <ChoiceDialog
      label="Add a node"
      placeholder={wire === null ? "Add a node" : "Add a node that fits"}
      query={query}
      onQuery={setQuery}
      choices={offered.map((item) => ({
        key: item.key,
        label: item.label,
        aside: item.aside === "" ? categoryLabels[item.category] : item.aside,
        icon: <ItemIcon item={item} />,
      }))}
      onChoose={(key) => {
        const item = offered.find((each) => each.key === key);
        if (item !== undefined) onChoose(item);
      }}
      onClose={onClose}
      empty={wire === null ? `Nothing is called “${query}”.` : "No such node fits."}
    />
  );
}
