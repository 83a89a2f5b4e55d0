import { hash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { CliError } from "../cli-error.ts";
import { linkFolder } from "../programs/link-file.ts";

/** What a file was when it and its composition were last the same. */
export interface CompositionLink {
  readonly server: string;
  readonly id: string;
  /** SHA-256 of the file. */
  readonly file: string;
  /** SHA-256 of the graph as the server has it. */
  readonly graph: string;
}

type Links = Record<string, CompositionLink>;

const linkName = "compositions.json";

function placeOf(file: string): string {
  return join(dirname(file), linkFolder, linkName);
}

export function hashText(text: string): string {
  return hash("sha256", text);
}

/** The link of a file; null when it has none to a composition of this server. */
export function readCompositionLink(file: string, server: string): CompositionLink | null {
  const link = readLinks(file)[basename(file)];
  return link?.server === server ? link : null;
}

/** Remembers that the file and the composition are the same now. */
export function writeCompositionLink(file: string, link: CompositionLink): void {
  const place = placeOf(file);
  const links = { ...readLinks(file), [basename(file)]: link };
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(`${place}.${process.pid}`, `${JSON.stringify(links)}\n`);
  renameSync(`${place}.${process.pid}`, place);
}

function readLinks(file: string): Links {
  const place = placeOf(file);
  try {
    const links: unknown = JSON.parse(readFileSync(place, "utf8"));
    if (typeof links !== "object" || links === null || !Object.values(links).every(isLink)) throw new Error("it has another shape");
    return links as Links;
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new CliError(`${place} cannot be read: ${(cause as Error).message}.`, {
      code: "link_unreadable",
      exit: "config",
      hint: "Delete it; the next push or pull writes it anew.",
      cause,
    });
  }
}

function isLink(link: unknown): boolean {
  const { server, id, file, graph } = (link ?? {}) as Partial<CompositionLink>;
  return [server, id, file, graph].every((part) => typeof part === "string");
}
