import { nodePath } from "@syla/contracts/node-runs";

/** The header in which a request says which node of its run's composition makes it. */
export const nodeHeader = "x-syla-node";

/** The addresses of processes that a node has started: its path in these, without the characters that clients change. */
const addressOf = /^(?:http:\/\/[^/?#]*)?\/syla\/v1\/of\/([A-Za-z0-9_.:-]{1,1000})(?=\/|$)/;

/** A node as a request names it; null where it names none. It is the run's own word, which counts for nothing but its own picture. */
export function readNode(said: string | readonly string[] | undefined): string | null {
  const { success, data } = nodePath.safeParse(said);
  return success ? data : null;
}

/** What a request asks for, without the node that its address names. */
export function splitAddress(url: string): { readonly url: string; readonly node: string | null } {
  const found = addressOf.exec(url);
  if (found === null) return { url, node: null };
  const rest = url.slice(found[0].length);
  const path = (found[1] ?? "").replaceAll(".", "/").replaceAll(/:(\d+)/g, "[$1]");
  return { url: rest.startsWith("/") ? rest : `/${rest}`, node: readNode(path) };
}
