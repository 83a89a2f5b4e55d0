import { useMemo, useState } from "react";
import { ChoiceDialog } from "../ui/choice-dialog.tsx";
import { useBuilder } from "./builder-store.ts";
import { bodyAt, type BodyPath } from "./edits/bodies.ts";
import { findNodes, type FoundNode } from "./find-nodes.ts";
import { NodeIcon } from "./palette-panel.tsx";
import { kindLooks, titleOf } from "./kinds.ts";

/** So many are listed. */
const mostFound = 50;

interface FindInGraphProps {
  readonly onGo: (path: BodyPath, node: string) => void;
  readonly onClose: () => void;
}

/** Finds a node that is there by typing, and leads to it. */
export function FindInGraph({ onGo, onClose }: FindInGraphProps) {
  const [query, setQuery] = useState("");
  const graph = useBuilder((state) => state.graph);
  const found = useMemo(() => findNodes(graph, query), [graph, query]);
  const nameOf = (path: BodyPath) =>
    path
      .map((id, index) => {
        const node = bodyAt(graph, path.slice(0, index))?.nodes.find((each) => each.id === id);
        return node === undefined ? id : titleOf(node);
      })
      .join(" › ");
  const asideOf = ({ path, node, excerpt }: FoundNode) =>
    [excerpt === "" ? kindLooks[node.kind].label : excerpt, ...(path.length === 0 ? [] : [`in ${nameOf(path)}`])].join(", ");
  const keyOf = ({ path, node }: FoundNode) => [...path, node.id].join("/");
  return (
    <ChoiceDialog
      label="Find in the graph"
      placeholder="Find a node by its name or what it is told"
      query={query}
      onQuery={setQuery}
      choices={found.slice(0, mostFound).map((each) => ({
        key: keyOf(each),
        label: titleOf(each.node),
        aside: asideOf(each),
        icon: <NodeIcon kind={each.node.kind} />,
      }))}
      onChoose={(key) => {
        const one = found.find((each) => keyOf(each) === key);
        if (one !== undefined) onGo(one.path, one.node.id);
      }}
      onClose={onClose}
      empty={found.length === 0 && query.trim() === "" ? "There are no nodes yet." : `No node answers to “${query}”.`}
    />
  );
}
