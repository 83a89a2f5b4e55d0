import { withoutTurns } from "@syla/flow/part";
import type { PlannedNode } from "@syla/flow/planned";
import { relayPort } from "@syla/sandbox/egress/environment";

/** The file that the hooks read, beside the code. */
export const planFile = "syla_plan.json";

/** What a run is told of its composition, and the server reads again when nodes of it are reported. */
export interface RunPlan {
  readonly server: string;
  readonly nodes: Readonly<Record<string, PlannedNode>>;
  /** The nodes of the composition's own graph. */
  readonly children: readonly string[];
  /** Nodes that are run whatever is kept of them, and those of which something has to be kept. */
  readonly forced: readonly string[];
  readonly required: readonly string[];
  /** What was asked of each node, see `askedOf`, and what the programs and models were made of then. Older plans do not say it. */
  readonly asked?: Readonly<Record<string, string>>;
  readonly digests?: Readonly<Record<string, string>>;
  /** Outputs that are taken for those of nodes. */
  readonly pins: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** Where the files of programs are, by their ids, and which of these are looked through for modules. */
  readonly folders: Readonly<Record<string, string>>;
  readonly modules: readonly string[];
  /** The variables that hold the secrets of programs, by their ids and the variables that these know them by. */
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** What a plan says of the node of a path, turns or not; undefined when there is none. */
export function plannedNode({ nodes }: Pick<RunPlan, "nodes">, path: string): PlannedNode | undefined {
  const plain = withoutTurns(path);
  return Object.hasOwn(nodes, plain) ? nodes[plain] : undefined;
}

export function planOf(parts: Omit<RunPlan, "server" | "children">): RunPlan {
  const children = Object.keys(parts.nodes).filter((path) => !path.includes("/"));
  return { server: `http://127.0.0.1:${relayPort}`, children, ...parts };
}
