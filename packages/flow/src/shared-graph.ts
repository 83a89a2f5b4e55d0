import { FlowEdge, flowBodyKinds, flowLimits, flowNodeShapes, type FlowBody, type FlowGraph, type FlowNode } from "@syla/contracts/flow";
import { flowConfigs, type FlowKind } from "@syla/contracts/flow-kinds";
import { sortedJson } from "./canonical.ts";
import { compareIds } from "./order.ts";

/** A text that several write in at once: a `Y.Text`. */
export interface SharedText {
  readonly length: number;
  insert(at: number, text: string): void;
  delete(at: number, length: number): void;
  toJSON(): string;
}

/** Values by names, of which whoever is last stays: a `Y.Map`. */
interface SharedFields {
  get(name: string): unknown;
  set(name: string, value: unknown): unknown;
  delete(name: string): void;
  forEach(read: (value: unknown, name: string) => void): void;
}

/** What a graph that several draw at once is kept in: a `Y.Doc`. */
export interface SharedDocument {
  getMap(name: string): SharedFields;
  getText(name: string): SharedText;
}

/*
 * How a graph lies in a document. Everything has its place by its name, so that two people who change different things never meet:
 *   n PATH FIELD            a field of the node that PATH (ids, joined by `/`) leads to: kind, order, position, bypassed, onError, config.NAME
 *   e PATH TO PORT COUNT    the wire into a port of the graph within PATH; COUNT tells those apart that lead into the same one
 *   m FIELD                 name, description, viewport
 * and, each in a text of its own under the same name, what people write in at once: labels, prompts, code. A node is there while it has a kind. What is
 * left of one that somebody has deleted, and somebody else has changed meanwhile, is not seen, and is there again when the deletion is taken back.
 */

/** The name of the one map. */
export const sharedFieldsName = "graph";
/** Of a node's configuration, what is written in by letters. */
const writtenConfig = new Set(["prompt", "source", "text", "docstring", "message", "description"]);
const bodyKinds = new Set<string>(flowBodyKinds);
/** Of a node, what is there or not beside its configuration. */
const freeFields = ["bypassed", "onError"] as const;
const headFields = ["name", "description", "viewport"] as const;
const longestDescription = 20_000;
const nothing: FlowBody = { nodes: [], edges: [] };

/** Whether something of this name is one of the texts. */
export function isSharedText(name: string): boolean {
  return (
    /^n [\w/-]+ (label|config\.[a-z]+)$/.test(name) && (name.endsWith(" label") || writtenConfig.has(name.slice(name.lastIndexOf(".") + 1)))
  );
}

/** The name of a text: of the label, or of a field of the configuration; undefined when that is no text. */
export function sharedTextName(path: readonly string[], field: string): string | undefined {
  const name = `n ${path.join("/")} ${field}`;
  return isSharedText(name) ? name : undefined;
}

/** A graph as it was read from a document, with what makes the next reading quick. */
export interface SharedGraph {
  readonly graph: FlowGraph;
  readonly known: ReadonlyMap<string, Known>;
}

/** What something was read from, and what it is; null: it is nothing that a graph holds. */
interface Known {
  readonly raw: readonly unknown[];
  readonly item: FlowNode | FlowEdge | null;
}

/** Reads what may hold anything. What is no node or no wire is left out, and so are wires whose nodes are gone: equal documents are equal graphs. */
export function readShared(document: SharedDocument, before?: SharedGraph): SharedGraph {
  return new SharedReader(document, before).read();
}

class SharedReader {
  readonly #document: SharedDocument;
  readonly #before: SharedGraph | undefined;
  readonly #known = new Map<string, Known>();
  readonly #nodes = new Map<string, Map<string, unknown>>();
  /** The nodes and the wires of each graph, by its path. */
  readonly #children = new Map<string, string[]>();
  readonly #wires = new Map<string, (readonly [string, unknown])[]>();
  readonly #head = new Map<string, unknown>();

  constructor(document: SharedDocument, before: SharedGraph | undefined) {
    [this.#document, this.#before] = [document, before];
  }

  read(): SharedGraph {
    this.#document.getMap(sharedFieldsName).forEach((value, name) => this.#sort(value, name));
    for (const [path, fields] of this.#nodes)
      if (fields.has("kind")) push(this.#children, path.slice(0, Math.max(0, path.lastIndexOf("/"))), path);
    const last = this.#before?.graph;
    const body = this.#body("", 0, last);
    const { name, description, viewport } = Object.fromEntries(this.#head);
    const graph: FlowGraph = {
      format: 1,
      name: typeof name === "string" ? name.slice(0, flowLimits.label) : "",
      description: typeof description === "string" ? description.slice(0, longestDescription) : "",
      viewport: readViewport(viewport) ?? { x: 0, y: 0, zoom: 1 },
      nodes: body.nodes,
      edges: body.edges,
    };
    const isSame = last !== undefined && body === last && headFields.every((field) => isSameJson(graph[field], last[field]));
    return { graph: isSame ? last : graph, known: this.#known };
  }

  #sort(value: unknown, name: string): void {
    const [what, path = "", field = ""] = name.split(" ", 3);
    if (what === "m") this.#head.set(path, value);
    else if (what === "e") push(this.#wires, path, [name, value]);
    else if (what === "n") {
      const fields = this.#nodes.get(path);
      if (fields === undefined) this.#nodes.set(path, new Map([[field, value]]));
      else fields.set(field, value);
    }
  }

  #body(path: string, depth: number, before: FlowBody | undefined): FlowBody {
    const order = (child: string) => toNumber(this.#nodes.get(child)?.get("order"));
    const children = (this.#children.get(path) ?? []).toSorted((one, other) => order(one) - order(other) || compareIds(one, other));
    const nodes = children.flatMap((child) => this.#node(child, depth) ?? []);
    const there = new Set(nodes.map(({ id }) => id));
    const taken = new Set<string>();
    const found = (this.#wires.get(path) ?? []).map(([name, value]) => ({ name, value, order: toNumber(fieldOf(value, "order")) }));
    const edges = found
      .toSorted((one, other) => one.order - other.order || compareIds(one.name, other.name))
      .flatMap(({ name, value }): FlowEdge[] => {
        const edge = this.#edge(name, value);
        if (edge === null || !there.has(edge.from.node) || !there.has(edge.to.node)) return [];
        let { id } = edge;
        for (let number = 2; taken.has(id); number += 1) id = `${edge.id.slice(0, 56)}_${number}`;
        taken.add(id);
        return [id === edge.id ? edge : { ...edge, id }];
      });
    if (before === undefined) return { nodes, edges };
    const kept = { nodes: sameOr(before.nodes, nodes), edges: sameOr(before.edges, edges) };
    return kept.nodes === before.nodes && kept.edges === before.edges ? before : kept;
  }

  #edge(name: string, value: unknown): FlowEdge | null {
    const last = this.#before?.known.get(name);
    if (last !== undefined && last.raw[0] === value) {
      this.#known.set(name, last);
      return last.item as FlowEdge | null;
    }
    const read = FlowEdge.safeParse({ id: fieldOf(value, "id"), from: fieldOf(value, "from"), to: fieldOf(value, "to") });
    const item = read.success ? read.data : null;
    this.#known.set(name, { raw: [value], item });
    return item;
  }

  #node(path: string, depth: number): FlowNode | null {
    const fields = this.#nodes.get(path) ?? new Map<string, unknown>();
    const kind = fields.get("kind");
    const shape = typeof kind === "string" ? flowNodeShapes.get(kind) : undefined;
    if (shape === undefined || (bodyKinds.has(kind as string) && depth >= flowLimits.depth)) return null;
    const names = configNames(kind as FlowKind);
    const ids = path.split("/");
    const textOf = (field: string) => {
      const name = sharedTextName(ids, field);
      return name === undefined ? undefined : this.#document.getText(name).toJSON();
    };
    const config = names.map((name) => textOf(`config.${name}`) ?? fields.get(`config.${name}`));
    const label = textOf("label") ?? "";
    const raw = [kind, fields.get("position"), ...freeFields.map((field) => fields.get(field)), label, ...config];
    const last = this.#before?.known.get(path);
    const isSame = last !== undefined && last.raw.length === raw.length && last.raw.every((value, index) => value === raw[index]);
    let item = isSame ? (last.item as FlowNode | null) : null;
    if (!isSame) {
      const position = fields.get("position");
      const made = {
        id: ids.at(-1),
        kind,
        label,
        ...(position === undefined ? {} : { position }),
        ...(fields.get("bypassed") === true ? { bypassed: true } : {}),
        config: Object.fromEntries(names.flatMap((name, index) => (config[index] === undefined ? [] : [[name, config[index]]]))),
      };
      const onError = fields.get("onError");
      // Somebody says what happens when it fails, while another makes a node of it that cannot: that is left out.
      item = (onError === undefined ? null : readNode(shape, { ...made, onError })) ?? readNode(shape, made);
    }
    if (item !== null && bodyKinds.has(item.kind)) {
      const body = this.#body(path, depth + 1, item.body);
      if (body !== item.body) item = { ...item, body };
    }
    this.#known.set(path, { raw, item });
    return item;
  }
}

/** A node, if it is one. Two who write at once may write more than there is room for: the rest is not seen. */
function readNode(
  shape: { safeParse(value: unknown): { success: boolean; data?: unknown; error?: { issues: readonly Issue[] } } },
  made: object,
): FlowNode | null {
  const first = shape.safeParse(made);
  if (first.success) return first.data as FlowNode;
  const cut = JSON.parse(JSON.stringify(made)) as Record<string, unknown>;
  for (const { code, path, maximum } of first.error?.issues ?? []) {
    if (code !== "too_big" || path.length > 2 || path.length === 0) return null;
    const holder = path.length === 1 ? cut : (cut[String(path[0])] as Record<string, unknown>);
    const name = String(path.at(-1));
    const text = holder[name];
    if (typeof text !== "string") return null;
    holder[name] = text.slice(0, Number(maximum)).toWellFormed();
  }
  const second = shape.safeParse(cut);
  return second.success ? (second.data as FlowNode) : null;
}

interface Issue {
  readonly code?: string | undefined;
  readonly path: readonly PropertyKey[];
  readonly maximum?: unknown;
}

/** Makes of the graph that a document holds, `before`, another one, by changes of what differs alone. */
export function writeShared(document: SharedDocument, before: FlowGraph, after: FlowGraph): void {
  const writer = new SharedWriter(document);
  for (const field of headFields) writer.field(`m ${field}`, before[field], after[field]);
  writer.body([], before, after);
}

class SharedWriter {
  readonly #document: SharedDocument;
  readonly #fields: SharedFields;

  constructor(document: SharedDocument) {
    [this.#document, this.#fields] = [document, document.getMap(sharedFieldsName)];
  }

  field(name: string, before: unknown, after: unknown): void {
    if (isSameJson(before, after)) return;
    if (after === undefined) this.#fields.delete(name);
    else this.#fields.set(name, after);
  }

  body(path: readonly string[], before: FlowBody, after: FlowBody): void {
    if (before === after) return;
    const [was, is] = [byId(before.nodes), byId(after.nodes)];
    for (const [id, node] of was) if (!is.has(id)) this.#remove([...path, id], node);
    for (const [id, node] of is) this.#node([...path, id], was.get(id), node);
    const orderName = (id: string) => `n ${[...path, id].join("/")} order`;
    const places = ordersOf(after.nodes.map(({ id }) => (was.has(id) ? this.#fields.get(orderName(id)) : undefined)));
    for (const [index, { id }] of after.nodes.entries())
      this.field(orderName(id), was.has(id) ? this.#fields.get(orderName(id)) : undefined, places[index]);
    if (before.edges !== after.edges) this.#edges(path.join("/"), before.edges, after.edges);
  }

  #node(path: readonly string[], before: FlowNode | undefined, after: FlowNode): void {
    if (before === after) return;
    const at = `n ${path.join("/")} `;
    const was = before?.kind === after.kind ? before : undefined;
    const [config, now] = [recordOf(was?.config), recordOf(after.config)];
    this.#write(path, "label", was?.label, after.label);
    for (const name of configNames(after.kind)) {
      const [one, other] = [config[name], now[name]];
      if (sharedTextName(path, `config.${name}`) !== undefined) this.#write(path, `config.${name}`, one, other);
      else if (was === undefined && other === undefined) this.#fields.delete(`${at}config.${name}`);
      else this.field(`${at}config.${name}`, one, other);
    }
    this.field(`${at}position`, was?.position, after.position);
    for (const name of freeFields)
      if (was === undefined && after[name] === undefined) this.#fields.delete(at + name);
      else this.field(at + name, was?.[name], after[name]);
    this.body(path, before?.body ?? nothing, after.body ?? nothing);
    this.field(`${at}kind`, was?.kind, after.kind);
  }

  #remove(path: readonly string[], node: FlowNode): void {
    this.body(path, node.body ?? nothing, nothing);
    const at = `n ${path.join("/")} `;
    for (const name of ["kind", "order", "position", ...freeFields, ...configNames(node.kind).map((each) => `config.${each}`)])
      if (this.#fields.get(at + name) !== undefined) this.#fields.delete(at + name);
    for (const name of ["label", ...configNames(node.kind).map((each) => `config.${each}`)]) this.#write(path, name, undefined, "");
  }

  /** Writes into a text what differs: a label, or a field of the configuration. */
  #write(path: readonly string[], field: string, before: unknown, after: unknown): void {
    const name = sharedTextName(path, field);
    if (name === undefined || before === after) return;
    rewriteText(this.#document.getText(name), typeof after === "string" ? after : "");
  }

  #edges(path: string, before: readonly FlowEdge[], after: readonly FlowEdge[]): void {
    const [was, is] = [byPort(path, before), byPort(path, after)];
    for (const name of was.keys()) if (!is.has(name)) this.#fields.delete(name);
    const known = (name: string) => (was.has(name) ? fieldOf(this.#fields.get(name), "order") : undefined);
    const places = ordersOf([...is.keys()].map(known));
    for (const [index, [name, edge]] of [...is].entries()) {
      const order = places[index] ?? 0;
      if (isSameJson(was.get(name), edge) && known(name) === order) continue;
      this.#fields.set(name, { id: edge.id, from: { ...edge.from }, to: { ...edge.to }, order });
    }
  }
}

/** Puts another text in place of one by one small change, and cuts no letter in two. */
export function rewriteText(text: SharedText, after: string): void {
  const before = text.toJSON();
  if (before === after) return;
  const most = Math.min(before.length, after.length);
  let start = 0;
  while (start < most && before[start] === after[start]) start += 1;
  if (/[\uD800-\uDBFF]/.test(before[start - 1] ?? "")) start -= 1;
  let end = 0;
  while (end < most - start && before[before.length - 1 - end] === after[after.length - 1 - end]) end += 1;
  if (end > 0 && /[\uDC00-\uDFFF]/.test(before[before.length - end] ?? "")) end -= 1;
  const [remove, insert] = [before.length - start - end, after.slice(start, after.length - end)];
  if (remove > 0) text.delete(start, remove);
  if (insert !== "") text.insert(start, insert);
}

/**
 * The graph with ids of their own for what is new in it: two people who add the same kind of node at once would give both the same. `ending` makes a
 * new one each time.
 *
 * @returns what each is called now as well, of the graph that `path` leads to
 */
export function withOwnIds(
  before: FlowGraph,
  after: FlowGraph,
  ending: () => string,
): { graph: FlowGraph; ids: ReadonlyMap<string, string> } {
  const ids = new Map<string, string>();
  const rename = (was: FlowBody, is: FlowBody): FlowBody => {
    if (was === is || was.nodes === is.nodes) return is;
    const known = byId(was.nodes);
    const fresh = new Map<string, string>();
    for (const { id } of is.nodes)
      if (!known.has(id)) fresh.set(id, `${id.replace(/(_x[0-9a-z]{6})?(_\d+)?$/, "").slice(0, 50)}_x${ending()}`);
    for (const [id, own] of fresh) ids.set(id, own);
    const of = (id: string) => fresh.get(id) ?? id;
    const nodes = is.nodes.map((node): FlowNode => {
      const old = known.get(node.id);
      if (old === undefined) return { ...node, id: of(node.id) };
      if (old === node || old.body === undefined || node.body === undefined) return node;
      const body = rename(old.body, node.body);
      return body === node.body ? node : { ...node, body };
    });
    if (fresh.size === 0) return nodes.every((node, index) => node === is.nodes[index]) ? is : { nodes, edges: is.edges };
    const edges = is.edges.map((edge) =>
      fresh.has(edge.from.node) || fresh.has(edge.to.node)
        ? { ...edge, from: { ...edge.from, node: of(edge.from.node) }, to: { ...edge.to, node: of(edge.to.node) } }
        : edge,
    );
    return { nodes, edges };
  };
  const body = rename(before, after);
  return { graph: body === after ? after : { ...after, nodes: body.nodes, edges: body.edges }, ids };
}

/** Numbers that rise, of which those that are there already stay as far as they do. */
function ordersOf(known: readonly unknown[]): number[] {
  const orders: number[] = [];
  let last = 0;
  for (const [index, one] of known.entries()) {
    if (typeof one === "number" && one > last) last = one;
    else {
      const next = known.slice(index + 1).find((other): other is number => typeof other === "number" && other > last);
      const between = next === undefined ? last + 1 : (last + next) / 2;
      last = between > last ? between : last + 1;
    }
    orders.push(last);
  }
  return orders;
}

/** Wires by the ports that they lead into. */
function byPort(path: string, edges: readonly FlowEdge[]): Map<string, FlowEdge> {
  const found = new Map<string, FlowEdge>();
  for (const edge of edges) {
    const at = `e ${path} ${edge.to.node} ${edge.to.port}`;
    let count = 1;
    while (found.has(`${at} ${count}`)) count += 1;
    found.set(`${at} ${count}`, edge);
  }
  return found;
}

function byId(nodes: readonly FlowNode[]): Map<string, FlowNode> {
  return new Map(nodes.map((node) => [node.id, node]));
}

const knownNames = new Map<FlowKind, readonly string[]>();

function configNames(kind: FlowKind): readonly string[] {
  const before = knownNames.get(kind);
  if (before !== undefined) return before;
  const names = Object.keys(flowConfigs[kind].shape);
  knownNames.set(kind, names);
  return names;
}

function push<Item>(lists: Map<string, Item[]>, name: string, item: Item): void {
  const list = lists.get(name);
  if (list === undefined) lists.set(name, [item]);
  else list.push(item);
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function fieldOf(value: unknown, name: string): unknown {
  return recordOf(value)[name];
}

function toNumber(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) ? value : 0;
}

function isSameJson(one: unknown, other: unknown): boolean {
  return one === other || (one !== undefined && other !== undefined && sortedJson(one) === sortedJson(other));
}

function sameOr<Item>(before: Item[], after: Item[]): Item[] {
  return before.length === after.length && before.every((item, index) => item === after[index]) ? before : after;
}

function readViewport(value: unknown): FlowGraph["viewport"] | undefined {
  const [x, y, zoom] = [fieldOf(value, "x"), fieldOf(value, "y"), fieldOf(value, "zoom")];
  if (typeof x !== "number" || typeof y !== "number" || typeof zoom !== "number") return undefined;
  return Number.isFinite(x + y) && zoom > 0 && zoom <= 100 ? { x, y, zoom } : undefined;
}
