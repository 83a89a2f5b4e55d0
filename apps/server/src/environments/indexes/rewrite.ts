import { posix } from "node:path";

/** Names of the files behind the addresses in a page: asks for a new address for each. */
export type Rename = (url: URL) => string;

/** Several times what the largest projects have. While they are renamed the server does nothing else. */
const mostFiles = 100_000;

function countFiles(): () => void {
  let count = 0;
  return () => {
    count += 1;
    if (count > mostFiles) throw new Error("its page names too many files");
  };
}

/** A page of Python's simple index, its links renamed. Source: PEP 503 and PEP 691. @throws Error when it is none */
export function rewritePythonPage(text: string, contentType: string, base: URL, rename: Rename): string {
  const count = countFiles();
  const renamed = (link: string) => {
    count();
    const url = URL.parse(link, base.href);
    return url !== null && /^https?:$/.test(url.protocol) ? rename(url) : link;
  };
  if (/[/+]json\b/.test(contentType)) {
    const page = JSON.parse(text) as { files?: { url?: unknown }[] };
    if (!Array.isArray(page.files)) throw new Error("its page lists no files");
    for (const file of page.files) if (typeof file.url === "string") file.url = renamed(file.url);
    return JSON.stringify(page);
  }
  // What stands behind `#` is a hash of the file, and stays. No part reaches beyond the next tag: a page of hostile text is read in linear time.
  return text.replaceAll(/(<a\s[^<>]*?href\s*=\s*)(["'])([^"'<>]*)\2/gi, (_all, before: string, quote: string, link: string) => {
    const [address = "", fragment] = link.replaceAll("&amp;", "&").split("#", 2);
    const end = fragment === undefined ? "" : `#${fragment}`;
    return `${before}${quote}${`${renamed(address)}${end}`.replaceAll("&", "&amp;").replaceAll(quote, "%22")}${quote}`;
  });
}

/** The description of a Node.js package, with the addresses of its archives by their file names. @throws Error when it is none */
export function rewriteNodePackage(
  text: string,
  base: URL,
  rename: (file: string) => string,
): { readonly text: string; readonly archives: ReadonlyMap<string, string> } {
  const described = JSON.parse(text) as { versions?: Record<string, { dist?: { tarball?: unknown } }> };
  const archives = new Map<string, string>();
  const count = countFiles();
  for (const version of Object.values(described.versions ?? {})) {
    const { dist } = version;
    if (dist === undefined || typeof dist.tarball !== "string") continue;
    count();
    const url = URL.parse(dist.tarball, base.href);
    if (url === null) continue;
    const file = posix.basename(url.pathname);
    archives.set(file, url.href);
    dist.tarball = rename(file);
  }
  return { text: JSON.stringify(described), archives };
}
