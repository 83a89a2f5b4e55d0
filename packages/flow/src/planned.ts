import type { FlowNode, FlowOnError } from "@syla/contracts/flow";
import type { FlowKind } from "@syla/contracts/flow-kinds";
import { nodeKey } from "./node-key.ts";
import { outputsOf } from "./ports.ts";
import type { NodeFunction } from "./python/node-functions.ts";
import { reuseOf, type Reuse } from "./reuse.ts";

/** What the hooks of a told file know of a node, by the ids that lead to it with `/` between. */
export interface PlannedNode {
  id: string;
  kind: FlowKind;
  label: string;
  /** SHA-256 of what it does, whatever it is called and wherever it is: with equal inputs, equal keys may have equal results. */
  key: string;
  /** By whom its result may be taken again. */
  reuse: Reuse;
  /** Ports of its inputs by the names of the parameters of its function, and those that come first without a name. */
  parameters: Record<string, string>;
  positional: string[];
  outputs: string[];
  /** What happens when it fails. */
  onError?: FlowOnError;
  /** Ids of the nodes of the graph within. */
  children: string[];
}

/**
 * Gathers what is to be known of the nodes of a graph while it is compiled. `digests`: what programs and models are made of, by their ids;
 * `hasNetwork`: whether its code reaches anything but the model gateway.
 */
export class Planned {
  readonly #nodes = new Map<string, PlannedNode>();
  readonly #digests: ReadonlyMap<string, string>;
  readonly #hasNetwork: boolean;

  constructor(digests: ReadonlyMap<string, string>, hasNetwork: boolean) {
    this.#digests = digests;
    this.#hasNetwork = hasNetwork;
  }

  note(node: FlowNode, path: readonly string[], found: NodeFunction | undefined): void {
    this.#nodes.set([...path, node.id].join("/"), {
      id: node.id,
      kind: node.kind,
      label: node.label,
      key: nodeKey(node, this.#digests),
      reuse: reuseOf(node, this.#hasNetwork),
      parameters: Object.fromEntries([...(found?.parameters ?? [])].map(([port, name]) => [name, port])),
      positional: [...(found?.positional ?? [])],
      outputs: outputsOf(node, new Map()).map(({ name }) => name),
      ...(node.onError === undefined ? {} : { onError: node.onError }),
      children: node.body?.nodes.map(({ id }) => id) ?? [],
    });
  }

  /** What was noted, whatever nodes are called. */
  get nodes(): Record<string, PlannedNode> {
    return Object.fromEntries(this.#nodes);
  }
}
