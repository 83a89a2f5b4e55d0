import { HocuspocusProvider } from "@hocuspocus/provider";
import { CompositionDocument } from "@syla/contracts/composition-live";
import type { FlowBody, FlowGraph } from "@syla/contracts/flow";
import { LiveNotice } from "@syla/contracts/workspace-live";
import { readShared, writeShared } from "@syla/flow/shared-graph";
import type { TestServer } from "@syla/testkit/server";
import { WebSocket } from "ws";
import * as Y from "yjs";
import type { Person } from "../../access/people.ts";
import { json } from "../../catalog/programs.ts";
import { LiveSocket } from "../../workspaces/live/replica.ts";

/** Somebody who has a composition open. */
export class Drawer {
  readonly provider: HocuspocusProvider;
  readonly notices: LiveNotice[] = [];
  /** Why the server closed the connection. */
  readonly closed: Promise<number>;
  readonly #socket: LiveSocket;
  readonly #undo: Y.UndoManager;
  readonly #own = {};

  /** `connect` makes a socket, on whichever server. */
  constructor(name: string, connect: () => WebSocket) {
    const closed = Promise.withResolvers<number>();
    this.closed = closed.promise;
    this.#socket = new LiveSocket({
      url: "ws://composition",
      WebSocketPolyfill: function open() {
        return connect().on("error", () => {}); // it is cut while it connects, too
      },
      delay: 20,
      minDelay: 10,
      maxDelay: 50,
      jitter: false,
      onClose: ({ event }) => closed.resolve(event.code),
    });
    this.provider = new HocuspocusProvider({ websocketProvider: this.#socket, name, token: "" });
    this.#undo = new Y.UndoManager(this.document, { trackedOrigins: new Set([this.#own]), captureTimeout: 0 });
    this.provider.on("stateless", ({ payload }: { payload: string }) => this.notices.push(LiveNotice.parse(JSON.parse(payload))));
    this.provider.attach();
  }

  get document(): Y.Doc {
    return this.provider.document;
  }

  get graph(): FlowGraph {
    return readShared(this.document).graph;
  }

  get isSaved(): boolean {
    return this.provider.isSynced && !this.provider.hasUnsyncedChanges;
  }

  /** Draws as the page does: another graph in place of what is there. */
  draw(change: (graph: FlowGraph) => FlowBody): void {
    const before = this.graph;
    this.document.transact(() => writeShared(this.document, before, { ...before, ...change(before) }), this.#own);
  }

  undo(): void {
    this.#undo.undo();
  }

  cut(): void {
    this.#socket.disconnect();
  }

  async connect(): Promise<void> {
    await this.#socket.connect();
  }

  destroy(): void {
    this.provider.destroy();
    this.#socket.destroy();
  }
}

/** Opens a composition as the page does. */
export async function openDraft(server: TestServer, person: Pick<Person, "headers">, id: string): Promise<Drawer> {
  const answer = await server.fetch(`/api/v1/compositions/${id}/document`, { headers: person.headers });
  const { id: name } = CompositionDocument.parse(await json(answer));
  const url = `${server.url.replace("http", "ws")}/api/v1/compositions/${id}/live`;
  return new Drawer(name, () => new WebSocket(url, { headers: person.headers }));
}

type Nodes = FlowBody["nodes"];

/** The graph with one of its nodes changed. */
export function withNode(graph: FlowBody, id: string, change: (node: Nodes[number]) => object): FlowBody {
  return {
    nodes: graph.nodes.map((node) => (node.id === id ? { ...node, ...change(node) } : node)),
    edges: graph.edges,
  };
}

/** The graph without a node and its wires. */
export function without(graph: FlowBody, id: string): FlowBody {
  return {
    nodes: graph.nodes.filter((node) => node.id !== id),
    edges: graph.edges.filter(({ from, to }) => from.node !== id && to.node !== id),
  };
}

/** The graph with another node. */
export function withMore(graph: FlowBody, ...nodes: readonly object[]): FlowBody {
  return { nodes: [...graph.nodes, ...(nodes as Nodes)], edges: graph.edges };
}

/** The graph with a wire, in place of what leads into the same port. */
export function wired(graph: FlowBody, id: string, from: readonly [string, string], to: readonly [string, string]): FlowBody {
  const others = graph.edges.filter((edge) => edge.to.node !== to[0] || edge.to.port !== to[1]);
  return { nodes: graph.nodes, edges: [...others, { id, from: { node: from[0], port: from[1] }, to: { node: to[0], port: to[1] } }] };
}

/** Whether every wire leads from one node that is there to another one. */
export function isWhole({ nodes, edges }: FlowBody): boolean {
  const there = new Set(nodes.map(({ id }) => id));
  return edges.every(({ from, to }) => there.has(from.node) && there.has(to.node));
}
