import type { PackageIndexTest, PackageLanguage } from "@syla/contracts/package-indexes";
import { AppError } from "@syla/contracts/errors";
import type { AddressRules } from "@syla/sandbox/egress/addresses";
import { ConnectionLog } from "@syla/sandbox/egress/connection-log";
import { connectOut } from "@syla/sandbox/egress/outbound";
import type { Resolve } from "@syla/sandbox/egress/resolve";
import { askIndex, readAnswer } from "./ask-index.ts";
import { below } from "./package-gateway.ts";
import { normalizeName } from "./routing.ts";
import { rewriteNodePackage, rewritePythonPage } from "./rewrite.ts";

const times = { connectMs: 10_000, helloMs: 10_000, idleMs: 30_000 };
const maxPageBytes = 32 * 1024 * 1024;
const pageMs = 30_000;
/** A name that nobody has: whoever asks for it learns whether an index answers. */
const unknownPackage = "syla-index-test";

/** An index to be tried, as builds would ask it. */
export interface TriedIndex {
  readonly language: PackageLanguage;
  readonly url: string;
  /** A package that it should have; null: whether it answers at all. */
  readonly package: string | null;
  /** Null: it asks for none. */
  readonly authorization: () => Promise<string | null>;
  /** An operator has named it: it may be private. */
  readonly isNamed: boolean;
}

/** How connections are made and judged: as those of builds are. */
export interface TryContext {
  readonly rules: AddressRules;
  readonly resolve: Resolve;
}

/** Asks an index for a package, once. */
export async function tryIndex({ rules, resolve }: TryContext, index: TriedIndex): Promise<PackageIndexTest> {
  const startedAt = performance.now();
  const about = { package: index.package, ms: null };
  try {
    const value = await index.authorization();
    const { origin } = new URL(index.url);
    const { url, accept } = questionFor(index.language, index.url, index.package ?? unknownPackage);
    const context = { rules, resolve, times, log: new ConnectionLog(), open: new Set<never>() };
    const { answer, url: place } = await askIndex(
      {
        method: "GET",
        url,
        headers: { accept },
        authorization: value === null ? null : { origin, value },
        namedOrigin: index.isNamed ? origin : null,
      },
      async (target, isNamed) => (await connectOut({ ...context, policy: { isFull: false, isNamed, allows: () => true } }, target)).socket,
    );
    const status = answer.statusCode ?? 0;
    if (status !== 200) {
      answer.destroy();
      if (status === 401 || status === 403) return failed("index_refused", `it answered ${status}`, about);
      if ((status === 404 || status === 410) && index.package === null)
        return { ok: true, code: null, message: null, ...about, ms: msSince(startedAt) };
      if (status === 404 || status === 410) return failed("package_missing", `it has no package ${index.package}`, about);
      return failed("index_unreachable", `it answered ${status}`, about);
    }
    const text = await readAnswer(answer, maxPageBytes, pageMs);
    const problem = pageProblem(index.language, text, answer.headers["content-type"] ?? "text/html", place);
    if (problem !== null) return failed("not_an_index", problem, about);
    return { ok: true, code: null, message: null, ...about, ms: msSince(startedAt) };
  } catch (error) {
    const message = error instanceof Error ? error.message : "it did not answer";
    return failed(error instanceof AppError ? "index_refused" : "index_unreachable", message, about);
  }
}

function questionFor(language: PackageLanguage, url: string, name: string): { url: URL; accept: string } {
  if (language === "python")
    return { url: below(url, `${normalizeName("uv", name)}/`), accept: "application/vnd.pypi.simple.v1+json, text/html;q=0.1" };
  if (language === "node") return { url: below(url, name.replace("/", "%2f")), accept: "application/json" };
  const escaped = name.replaceAll(/[A-Z]/g, (letter) => `!${letter.toLowerCase()}`);
  return { url: below(url, `${escaped}/@v/list`), accept: "text/plain" };
}

/** Why a page is none of an index; null when it is. */
function pageProblem(language: PackageLanguage, text: string, type: string, place: URL): string | null {
  try {
    let files = 0;
    if (language === "python") rewritePythonPage(text, type, place, (url) => ((files += 1), url.href));
    else if (language === "node") files = rewriteNodePackage(text, place, (file) => file).archives.size;
    else files = text.split("\n").filter((line) => /^v\d/.test(line)).length;
    return files === 0 ? "its page lists no files" : null;
  } catch (error) {
    return error instanceof SyntaxError ? "its page cannot be read" : (error as Error).message;
  }
}

function failed(
  code: NonNullable<PackageIndexTest["code"]>,
  message: string,
  about: Pick<PackageIndexTest, "package" | "ms">,
): PackageIndexTest {
  return { ok: false, code, message: message.slice(0, 500), ...about };
}

function msSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt);
}
