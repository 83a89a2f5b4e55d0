import type { FlowGraph, FlowNode } from "@syla/contracts/flow";
import { looksSecret } from "@syla/contracts/model-config";
import { mapNodes } from "./walk.ts";

/** Something that a graph does not hold any more. */
export interface Removed {
  path: readonly string[];
  /** Empty: of the graph itself. */
  node: string;
  field: string;
  reason: string;
}

/** What keys and tokens of well-known makers look like, and private keys. */
const tokens =
  /\b(?:(?:sk|pk|rk|syla)[-_][\w-]{16,}|gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[abeoprs]-[\w-]{10,}|(?:AKIA|ASIA)[A-Z0-9]{16}|AIza[\w-]{30,}|(?:hf|npm)_\w{20,}|eyJ[\w-]{8,2000}\.[\w-]{8,4000}\.[\w-]{8,1000}|Bearer [\w.~+/-]{16,4000}=*)|-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----[^-]{0,10000}(?:-----END [A-Z ]{0,40}PRIVATE KEY-----)?/g;
const removed = "REMOVED";

type Report = (field: string, reason: string) => void;

/** The graph without what looks secret: it can be given to anybody. What nobody can tell from its looks stays. */
export function withoutSecrets(graph: FlowGraph): { graph: FlowGraph; removed: Removed[] } {
  const left: Removed[] = [];
  const changed = mapNodes(graph, (node, path) => cleanNode(node, (field, reason) => left.push({ path, node: node.id, field, reason })));
  const report: Report = (field, reason) => left.push({ path: [], node: "", field, reason });
  const { name, description } = graph;
  return {
    graph: { ...changed, name: cleanText(name, "name", report), description: cleanText(description, "description", report) },
    removed: left,
  };
}

function cleanNode(node: FlowNode, report: Report): FlowNode {
  const known = cleanKnown(node, report);
  const { onError } = known;
  const failing = onError === undefined ? {} : { onError: cleanValue(onError, "onError", report) };
  return {
    ...known,
    label: cleanText(known.label, "label", report),
    config: cleanValue(known.config, "config", report),
    ...failing,
  } as FlowNode;
}

/** What a kind of node has in places that are known. */
function cleanKnown(node: FlowNode, report: Report): FlowNode {
  if (node.kind === "http") {
    const headers = Object.fromEntries(
      Object.entries(node.config.headers).map(([name, value]) => {
        if (value === "" || !(looksSecret(name) || /^(cookie|set-cookie|proxy-.*)$/i.test(name))) return [name, value];
        report(`config.headers.${name}`, "the header holds a secret, by its name");
        return [name, ""];
      }),
    );
    return { ...node, config: { ...node.config, headers, url: cleanAddress(node.config.url, "config.url", report) } };
  }
  if (node.kind === "model" && node.config.baseUrl !== undefined)
    return { ...node, config: { ...node.config, baseUrl: cleanAddress(node.config.baseUrl, "config.baseUrl", report) } };
  return node;
}

/** An address without a password, and without what in its query is a secret by its name. */
function cleanAddress(text: string, field: string, report: Report): string {
  if (!URL.canParse(text)) return text;
  const url = new URL(text);
  let isChanged = url.username !== "" || url.password !== "";
  if (isChanged) report(field, "the address holds a name or a password");
  url.username = "";
  url.password = "";
  for (const name of new Set(url.searchParams.keys())) {
    if (!looksSecret(name.replaceAll("_", "-"))) continue;
    report(field, `the address holds a secret: ${name}`);
    url.searchParams.set(name, "");
    isChanged = true;
  }
  return isChanged ? url.href : text;
}

function cleanText(text: string, field: string, report: Report): string {
  const clean = text.replace(tokens, removed);
  if (clean !== text) report(field, "something in it looks like a key or a token");
  return clean;
}

function cleanValue(value: unknown, field: string, report: Report): unknown {
  if (typeof value === "string") return cleanText(value, field, report);
  if (Array.isArray(value)) return value.map((item: unknown, index) => cleanValue(item, `${field}.${index}`, report));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, cleanValue(item, `${field}.${name}`, report)]));
}
