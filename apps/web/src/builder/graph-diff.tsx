import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { FlowBody, FlowEdge, FlowNode } from "@syla/contracts/flow";
import { diffGraphs } from "@syla/flow/diff";
import { Minus, Move, Pencil, Plus } from "lucide-react";
import { type ReactNode, useMemo } from "react";
import { ChangedValues } from "./changed-values.tsx";
import { bodyAt } from "./edits/bodies.ts";
import { kindLooks, titleOf } from "./kinds.ts";

const looks = {
  added: { icon: Plus, word: "Added", color: "fg.success" },
  removed: { icon: Minus, word: "Removed", color: "fg.error" },
  changed: { icon: Pencil, word: "Changed", color: "fg.warning" },
  moved: { icon: Move, word: "Moved", color: "fg.muted" },
} as const;

interface GraphDiffProps {
  readonly before: FlowBody;
  readonly after: FlowBody;
  /** Where no words are needed about what is the same. */
  readonly label: string;
}

/** What differs between two graphs, node by node and wire by wire. */
export function GraphDiff({ before, after, label }: GraphDiffProps) {
  const diff = useMemo(() => diffGraphs(before, after), [before, after]);
  const nodeIn = (body: FlowBody, path: readonly string[], id: string): FlowNode | undefined =>
    bodyAt(body, path)?.nodes.find((node) => node.id === id);
  const nodeAt = (path: readonly string[], id: string): FlowNode | undefined => nodeIn(after, path, id) ?? nodeIn(before, path, id);
  const nameOf = (path: readonly string[], id: string): string => {
    const node = nodeAt(path, id);
    return node === undefined ? id : titleOf(node);
  };
  const place = (path: readonly string[]): string => path.map((id, index) => nameOf(path.slice(0, index), id)).join(" › ");
  const endOf = (path: readonly string[], { node, port }: FlowEdge["from"]): string => `${nameOf(path, node)} · ${port}`;
  if (diff.nodes.length + diff.edges.length === 0) return <Text color="fg.muted">Nothing differs.</Text>;
  const moved = diff.nodes.filter(({ change }) => change === "moved").length;
  return (
    <Box as="ul" listStyleType="none" aria-label={label}>
      {diff.nodes
        .filter(({ change }) => change !== "moved")
        .map((change) => {
          const node = nodeAt(change.path, change.node);
          const old = nodeIn(before, change.path, change.node);
          const what = change.change === "changed" ? change.fields.map((field) => field.replace(/^config\./, "")).join(", ") : "";
          return (
            <DiffRow
              key={`${change.path.join("/")}/${change.node} ${change.change}`}
              change={change.change}
              below={
                change.change !== "changed" || node === undefined || old === undefined ? null : (
                  <ChangedValues before={old} after={node} fields={change.fields} />
                )
              }
            >
              <b>{nameOf(change.path, change.node)}</b>
              {node === undefined ? "" : `, ${kindLooks[node.kind].label}`}
              {change.path.length === 0 ? "" : `, in ${place(change.path)}`}
              {what === "" ? "" : `: ${what}`}
            </DiffRow>
          );
        })}
      {diff.edges.map(({ path, change, from, to }) => (
        <DiffRow key={`${path.join("/")} ${change} ${from.node} ${from.port} ${to.node} ${to.port}`} change={change}>
          Wire from {endOf(path, from)} to {endOf(path, to)}
        </DiffRow>
      ))}
      {moved === 0 ? null : <DiffRow change="moved">{moved === 1 ? "One node" : `${moved} nodes`}</DiffRow>}
    </Box>
  );
}

interface DiffRowProps {
  readonly change: keyof typeof looks;
  readonly below?: ReactNode;
  readonly children: ReactNode;
}

function DiffRow({ change, below, children }: DiffRowProps) {
  const { icon: Icon, word, color } = looks[change];
  return (
    <Flex as="li" gap="2" py="1" align="baseline">
      <chakra.span color={color} display="inline-flex" alignItems="center" gap="1" minW="20" flexShrink="0">
        <Icon size={12} aria-hidden /> {word}
      </chakra.span>
      <Box minW="0" flex="1">
        <Text as="span" overflowWrap="anywhere">
          {children}
        </Text>
        {below}
      </Box>
    </Flex>
  );
}
