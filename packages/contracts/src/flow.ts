import { z } from "zod";
import { flowConfigs, type FlowConfig, type FlowKind } from "./flow-kinds.ts";

/** What a composition may hold. A graph within a node counts with the graph it lies in. */
export const flowLimits = { nodes: 5000, edges: 20_000, depth: 12, label: 200, jsonDepth: 200 } as const;

/** The kinds that may fail: they run code of somebody, or ask a model or the network. */
export const flowFallibleKinds = ["program", "slot", "instruct", "verifier", "ivr", "map", "loop", "code", "http", "module"] as const;

/** The kinds that hold a graph of their own. */
export const flowBodyKinds = ["ivr", "map", "loop", "module"] as const;

export const FlowPoint = z.strictObject({ x: z.number(), y: z.number() });
export const flowId = z
  .string()
  .regex(/^[A-Za-z0-9_-]+$/, "letters, digits, - and _")
  .max(64);

const end = z.strictObject({ node: flowId, port: z.string().min(1).max(100) });
export const FlowEdge = z.strictObject({ id: flowId, from: end, to: end }).meta({ id: "FlowEdge" });
export type FlowEdge = z.infer<typeof FlowEdge>;

/** What happens when a node fails. Without it the run fails. */
export const FlowOnError = z
  .strictObject({
    retries: z.int().min(0).max(20).default(0).describe("how often it is tried again"),
    waitSeconds: z.number().min(0).max(600).default(1).describe("before it is tried again; twice as long each time, at most ten minutes"),
    fallback: z
      .record(z.string().min(1).max(100), z.json())
      .optional()
      .describe("a value for each of its outputs, when it failed every time; without it the run fails"),
  })
  .meta({ id: "FlowOnError" });
export type FlowOnError = z.infer<typeof FlowOnError>;

/** A graph without cycles. What repeats is a node with a graph within. */
export interface FlowBody {
  nodes: FlowNode[];
  edges: FlowEdge[];
}
interface NodeOf<Kind extends FlowKind> {
  id: string;
  kind: Kind;
  label: string;
  position: { x: number; y: number };
  /** It is passed over: what goes into it comes out of it. */
  bypassed?: true | undefined;
  /** Only of kinds that may fail. */
  onError?: FlowOnError | undefined;
  config: FlowConfig<Kind>;
  /** Only of kinds that hold a graph. */
  body?: FlowBody | undefined;
}
export type FlowNode = { [Kind in FlowKind]: NodeOf<Kind> }[FlowKind];
export type FlowNodeOf<Kind extends FlowKind> = NodeOf<Kind>;

const common = {
  id: flowId,
  label: z.string().max(flowLimits.label).default(""),
  position: FlowPoint.default({ x: 0, y: 0 }),
  bypassed: z.literal(true).optional().describe("it is passed over: what goes into its first input comes out of it"),
};
const holds = (kind: string): boolean => (flowBodyKinds as readonly string[]).includes(kind);
const fails = (kind: string): boolean => (flowFallibleKinds as readonly string[]).includes(kind);
const failing = { onError: FlowOnError.optional() };

/** A node without the graph within, by its kind. */
export const flowNodeShapes = new Map(
  Object.entries(flowConfigs).map(([kind, config]) => [
    kind,
    z.strictObject({ ...common, ...(fails(kind) ? failing : {}), kind: z.literal(kind), config }),
  ]),
);

const body: z.ZodType<FlowBody> = z.lazy(() => FlowBodyShape);
const nodes = [...flowNodeShapes].map(([kind, shape]) => (holds(kind) ? shape.extend({ body }) : shape));
const FlowNodeShape = z.discriminatedUnion("kind", nodes as unknown as [(typeof nodes)[number], ...typeof nodes]);

const FlowBodyShape = z
  .strictObject({ nodes: z.array(FlowNodeShape).max(flowLimits.nodes), edges: z.array(FlowEdge).max(flowLimits.edges) })
  .meta({ id: "FlowBody" }) as unknown as z.ZodType<FlowBody>;

export const flowHead = {
  format: z.literal(1),
  name: z.string().max(flowLimits.label).default(""),
  description: z.string().max(20_000).default(""),
  viewport: z.strictObject({ x: z.number(), y: z.number(), zoom: z.number().positive().max(100) }).default({ x: 0, y: 0, zoom: 1 }),
};

/** A composition as it is stored, exported and imported. */
export const FlowGraph = z
  .strictObject({ ...flowHead, nodes: z.array(FlowNodeShape).max(flowLimits.nodes), edges: z.array(FlowEdge).max(flowLimits.edges) })
  .meta({ id: "FlowGraph" });
export type FlowGraph = FlowBody & {
  format: 1;
  name: string;
  description: string;
  viewport: { x: number; y: number; zoom: number };
};
