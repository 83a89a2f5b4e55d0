import { printType } from "@syla/flow/types";
import { useState } from "react";
import { shownBody, useBuilder, useBuilderStore } from "./builder-store.ts";
import { ChoiceDialog } from "../ui/choice-dialog.tsx";
import { candidatesFor, connect } from "./edits/connect.ts";
import { factsOf, type PortEnd } from "./facts.ts";
import { titleOf } from "./kinds.ts";

interface Begun extends PortEnd {
  readonly side: "output" | "input";
}

/** Draws a wire without a mouse: first a port of the node, then where it leads. */
export function ConnectDialog({ node: id, onClose }: { readonly node: string; readonly onClose: () => void }) {
  const store = useBuilderStore();
  const body = useBuilder(shownBody);
  const [begun, setBegun] = useState<Begun | null>(null);
  const [query, setQuery] = useState("");
  const facts = factsOf(body);
  const node = facts.index.nodes.get(id);
  if (node === undefined) return null;
  const matches = (text: string) => text.toLowerCase().includes(query.trim().toLowerCase());
  if (begun === null) {
    const ports = [
      ...facts.outputs(node).map((port) => ({ ...port, side: "output" as const })),
      ...facts.inputs(node).map((port) => ({ ...port, side: "input" as const })),
    ];
    return (
      <ChoiceDialog
        key="port"
        label={`Connect ${titleOf(node)}`}
        placeholder="A port of this node"
        query={query}
        onQuery={setQuery}
        choices={ports
          .filter(({ name }) => matches(name))
          .map(({ name, type, side }) => ({ key: `${side} ${name}`, label: name, aside: `${side}, ${printType(type)}` }))}
        onChoose={(key) => {
          const [side = "", ...name] = key.split(" ");
          setBegun({ node: id, port: name.join(" "), side: side === "input" ? "input" : "output" });
          setQuery("");
        }}
        onClose={onClose}
        empty="The node has no such port."
      />
    );
  }
  const ends = candidatesFor(body, begun, begun.side).map((candidate) => {
    const other = facts.index.nodes.get(candidate.node);
    return { ...candidate, title: other === undefined ? candidate.node : titleOf(other) };
  });
  const shown = ends
    .filter(({ title, port }) => matches(`${title} ${port}`))
    .toSorted((a, b) => Number(a.refusal !== undefined) - Number(b.refusal !== undefined));
  return (
    <ChoiceDialog
      key="end"
      label={`Connect ${begun.port}`}
      placeholder={begun.side === "output" ? "Where it leads" : "Where it comes from"}
      query={query}
      onQuery={setQuery}
      choices={shown.map(({ node: other, port, title, refusal }) => ({ key: `${other} ${port}`, label: `${title} · ${port}`, refusal }))}
      onChoose={(key) => {
        onClose();
        const end = ends.find(({ node: other, port }) => `${other} ${port}` === key);
        if (end === undefined) return;
        const [one, other] = [
          { node: begun.node, port: begun.port },
          { node: end.node, port: end.port },
        ];
        store.edit((now) => connect(now, begun.side === "output" ? { from: one, to: other } : { from: other, to: one }));
      }}
      onClose={onClose}
      empty="There is nothing to connect it with."
    />
  );
}
