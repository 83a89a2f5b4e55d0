import { Box, Button, chakra, Flex, Heading, Text } from "@chakra-ui/react";
import type { FlowBody, FlowEdge, FlowNodeOf } from "@syla/contracts/flow";
import { canonicalBody, sortedJson } from "@syla/flow/canonical";
import { renewIds } from "@syla/flow/renew-ids";
import { updateModule } from "@syla/flow/replace-node";
import { TriangleAlert } from "lucide-react";
import { useMemo } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useBuilder, useBuilderStore } from "./builder-store.ts";
import { bodyAt, type BodyPath } from "./edits/bodies.ts";
import { type PortChange, portChanges } from "./edits/port-changes.ts";
import { GraphDiff } from "./graph-diff.tsx";
import { titleOf } from "./kinds.ts";
import { useGraph } from "./queries.ts";

/** A module, and the version of its composition that could take its place. */
export interface ModuleUpdate {
  readonly path: BodyPath;
  readonly node: string;
  readonly composition: string;
  readonly version: string;
}

interface ModuleUpdateDialogProps {
  readonly update: ModuleUpdate;
  readonly onDone: (text: string) => void;
  readonly onClose: () => void;
}

const empty: FlowBody = { nodes: [], edges: [] };

/** Shows what another version of a module changes, first what does not fit any more, and puts it in place of the one that is there. */
export function ModuleUpdateDialog({ update, onDone, onClose }: ModuleUpdateDialogProps) {
  const { path, node: id, composition, version } = update;
  const graph = useBuilder((state) => state.graph);
  const node = bodyAt(graph, path)?.nodes.find((each): each is FlowNodeOf<"module"> => each.id === id && each.kind === "module");
  const taken = node?.config.composition?.version;
  const next = useGraph(composition, version);
  const origin = useGraph(composition, taken, taken !== undefined);
  const isWaiting = next.data === undefined || (taken !== undefined && origin.isPending);
  return (
    <Modal label={`Update ${node === undefined ? "the module" : `“${titleOf(node)}”`}`} width="44rem" onClose={onClose}>
      <Box p="4">
        {next.isError ? (
          <ErrorPanel error={next.error} onRetry={() => void next.refetch()} />
        ) : isWaiting || node === undefined ? (
          <SkeletonRows rows={4} />
        ) : (
          <Review
            update={update}
            node={node}
            next={next.data.graph}
            origin={origin.data?.graph}
            onDone={(text) => {
              onDone(text);
              onClose();
            }}
          />
        )}
      </Box>
    </Modal>
  );
}

interface ReviewProps {
  readonly update: ModuleUpdate;
  readonly node: FlowNodeOf<"module">;
  readonly next: FlowBody;
  /** The version that it was taken from; undefined when it was a draft, or can no longer be read. */
  readonly origin: FlowBody | undefined;
  readonly onDone: (text: string) => void;
}

function Review({ update, node, next, origin, onDone }: ReviewProps) {
  const store = useBuilderStore();
  const graph = useBuilder((state) => state.graph);
  const isReadOnly = useBuilder((state) => state.isReadOnly);
  const { path, composition, version } = update;
  const own = node.body ?? empty;
  const { removed } = useMemo(
    () => updateModule(graph, { path, node: node.id }, { id: composition, version, graph: next }),
    [graph, path, node.id, composition, version, next],
  );
  const ports = useMemo(() => portChanges(own, next), [own, next]);
  const breaking = ports.filter(({ isBreaking }) => isBreaking);
  const others = ports.filter(({ isBreaking }) => !isBreaking);
  const isChangedHere = origin !== undefined && essence(own) !== essence(origin);
  // Of a copy that was given other ids everything would differ: then the versions are compared.
  const before = origin !== undefined && !sharesIds(own, next) ? origin : own;
  const around = bodyAt(graph, path) ?? empty;
  const take = () => {
    const now = updateModule(store.get().graph, { path, node: node.id }, { id: composition, version, graph: next });
    store.commit(now.graph);
    const lost = now.removed.length === 0 ? "" : ` ${formatPlural(now.removed.length, "wire")} did not fit any more.`;
    onDone(`“${titleOf(node)}” is at version ${version} now.${lost}`);
  };
  return (
    <Flex direction="column" gap="3">
      <Text color="fg.muted">
        From {node.config.composition?.version ?? "a draft"} to {version}. It can be undone.
      </Text>
      {breaking.length === 0 && removed.length === 0 ? null : (
        <Box as="section" aria-label="What breaks" borderWidth="1px" borderColor="border.warning" rounded="md" p="2">
          <Flex as="h3" align="center" gap="1.5" fontSize="sm" fontWeight="medium" color="fg.warning">
            <TriangleAlert size={14} aria-hidden /> What breaks
          </Flex>
          <Box as="ul" listStyleType="none" fontSize="xs" mt="1">
            {breaking.map((change) => (
              <li key={`${change.side} ${change.name} ${change.change}`}>
                <PortWords {...change} />
              </li>
            ))}
            {removed.map((edge) => (
              <li key={edge.id}>The wire {wireWords(around, edge)} is removed.</li>
            ))}
          </Box>
        </Box>
      )}
      {others.length === 0 ? null : (
        <Box as="section" aria-label="What else goes in and comes out" fontSize="xs">
          <Heading as="h3" fontSize="sm" mb="1">
            What goes in and comes out
          </Heading>
          <Box as="ul" listStyleType="none">
            {others.map((change) => (
              <li key={`${change.side} ${change.name} ${change.change}`}>
                <PortWords {...change} />
              </li>
            ))}
          </Box>
        </Box>
      )}
      <Box as="section" aria-label="What changes within" fontSize="xs">
        <Heading as="h3" fontSize="sm" mb="1">
          What changes within
        </Heading>
        <Box maxH="40dvh" overflowY="auto">
          <GraphDiff before={before} after={next} label="Changes within the module" />
        </Box>
        {isChangedHere ? <Text color="fg.warning">What was changed in this copy since it was taken is replaced.</Text> : null}
      </Box>
      <Button alignSelf="flex-end" size="sm" colorPalette="accent" disabled={isReadOnly} onClick={take}>
        Update to {version}
      </Button>
    </Flex>
  );
}

/** What it does, whatever its nodes' ids: copies have others, in the same order. */
function essence(body: FlowBody): string {
  let count = 0;
  return sortedJson(canonicalBody(renewIds(body, () => String((count += 1)).padStart(6, "0"))));
}

function sharesIds(one: FlowBody, other: FlowBody): boolean {
  const ids = new Set(one.nodes.map(({ id }) => id));
  return ids.size === 0 || other.nodes.some(({ id }) => ids.has(id));
}

function wireWords(body: FlowBody, { from, to }: FlowEdge): string {
  const nameOf = (id: string) => {
    const node = body.nodes.find((each) => each.id === id);
    return node === undefined ? id : titleOf(node);
  };
  return `from ${nameOf(from.node)} · ${from.port} to ${nameOf(to.node)} · ${to.port}`;
}

/** What has happened to a port, in a sentence. */
function PortWords({ side, name, change, before, after, isBreaking }: PortChange) {
  const type = (text: string | null) => <chakra.code>{text}</chakra.code>;
  const what = side === "input" ? "The input" : "The output";
  return (
    <>
      {what} <b>{name}</b>{" "}
      {change === "removed" ? (
        "is there no more."
      ) : change === "added" ? (
        <>
          is new: {type(after)}
          {isBreaking ? ", and has to be connected." : "."}
        </>
      ) : change === "type" ? (
        <>
          is {type(after)} now, it was {type(before)}.
        </>
      ) : change === "needed" ? (
        "has to be connected now."
      ) : (
        "may be left out now."
      )}
    </>
  );
}
