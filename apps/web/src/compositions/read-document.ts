import type { CompositionProblem, LeftOut } from "@syla/contracts/compositions";
import type { FlowGraph } from "@syla/contracts/flow";
import { validateFlow } from "@syla/flow/validate";

/** A file as far as it can be read without the server. */
export interface ReadDocument {
  /** As it was; what is sent. */
  readonly document: unknown;
  /** Undefined: it is no graph, and nothing can be made of it. */
  readonly graph: FlowGraph | undefined;
  /** What it calls itself. */
  readonly name: string;
  readonly problems: readonly CompositionProblem[];
  /** What whoever exported it has not given away. */
  readonly leftOut: readonly LeftOut[];
  /** What it calls what it uses, by the ids. */
  readonly names: ReadonlyMap<string, string>;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The graph in what was exported; a bare graph is one itself. */
export function graphIn(document: unknown): unknown {
  return isRecord(document) && typeof document["format"] === "string" && "graph" in document ? document["graph"] : document;
}

/** Reads a text that may be anything; a string says why it cannot be read at all. */
export function readDocument(text: string): ReadDocument | string {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return "This file is no JSON.";
  }
  const { graph, problems } = validateFlow(graphIn(document));
  const around = isRecord(document) && typeof document["format"] === "string" ? document : {};
  const name = typeof around["name"] === "string" && around["name"] !== "" ? around["name"] : (graph?.name ?? "");
  return { document, graph, name, problems, leftOut: leftOutOf(around), names: namesOf(around) };
}

function leftOutOf({ leftOut }: Readonly<Record<string, unknown>>): LeftOut[] {
  if (!Array.isArray(leftOut)) return [];
  return leftOut.flatMap((item: unknown) => {
    if (!isRecord(item) || typeof item["node"] !== "string" || typeof item["field"] !== "string") return [];
    const path = Array.isArray(item["path"]) ? item["path"].map(String) : [];
    return [{ path, node: item["node"], field: item["field"], reason: typeof item["reason"] === "string" ? item["reason"] : "" }];
  });
}

function namesOf({ references }: Readonly<Record<string, unknown>>): Map<string, string> {
  if (!Array.isArray(references)) return new Map();
  return new Map(
    references.flatMap((item: unknown) =>
      isRecord(item) && typeof item["id"] === "string" && typeof item["name"] === "string" ? [[item["id"], item["name"]] as const] : [],
    ),
  );
}
