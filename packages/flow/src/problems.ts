/** A change that mends a problem. It is made in the graph that the problem's path leads to. */
export type FlowFix =
  | { action: "remove_node"; node: string }
  | { action: "remove_edge"; edge: string }
  | { action: "set_label"; node: string; label: string }
  | { action: "set_id"; index: number; id: string }
  | { action: "set_type"; node: string; type: string }
  | { action: "set_config"; node: string; config: Readonly<Record<string, unknown>> }
  | { action: "detach_module"; node: string }
  | { action: "update_module"; node: string; composition: string; version: string };

/** Every way in which a graph can be wrong. */
export type FlowProblemCode =
  | "not_a_graph"
  | "too_deep"
  | "too_large"
  | "unsupported_format"
  | "bad_field"
  | "bad_node"
  | "unknown_kind"
  | "bad_config"
  | "bad_on_error"
  | "reused_request"
  | "duplicate_id"
  | "hostile_text"
  | "bad_edge"
  | "dangling_edge"
  | "unknown_port"
  | "port_taken"
  | "missing_input"
  | "type_mismatch"
  | "cycle"
  | "duplicate_name"
  | "unreachable"
  | "no_output"
  | "self_containing"
  | "missing_body"
  | "bad_body"
  | "bad_interface";

/** Something wrong with a graph, and where. A graph with an error is not compiled; one with warnings is. */
export interface FlowProblem {
  code: FlowProblemCode;
  severity: "error" | "warning";
  /** The nodes whose graphs lead to the one that is meant, outermost first. */
  path: readonly string[];
  node?: string;
  port?: string;
  edge?: string;
  message: string;
  fix?: FlowFix;
}
