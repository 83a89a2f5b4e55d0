import { Readable } from "node:stream";
import { AppError } from "@syla/contracts/errors";
import { ByteReader } from "./byte-reader.ts";
import { flush, line, readLine } from "./pkt-line.ts";

/** What a client of git is told of before it asks for commits, or sends some. Source: gitprotocol-http(5), gitprotocol-v2(5), gitprotocol-pack(5). */

export type GitService = "git-upload-pack" | "git-receive-pack";

/** Where a repository stands; a workspace that never had files has no tip. */
export interface Refs {
  readonly tip: string | null;
  /** Commits by the names of tags. */
  readonly tags: ReadonlyMap<string, string>;
}

export const branch = "refs/heads/main";
/** What stands for a commit where there is none. */
export const noCommit: string = "0".repeat(40);
const agent = "agent=syla";
/** What git's own upload-pack does for us, and no more. */
const fetchAbilities = [
  "multi_ack",
  "multi_ack_detailed",
  "no-done",
  "thin-pack",
  "side-band",
  "side-band-64k",
  "ofs-delta",
  "shallow",
  "deepen-since",
  "deepen-not",
  "deepen-relative",
  "no-progress",
  "include-tag",
  "filter",
];
/** That names can be deleted is said so that a client asks for it, and is told why not. */
const pushAbilities = ["report-status", "delete-refs", "side-band-64k", "ofs-delta", "quiet"];
const version2 = ["version 2\n", `${agent}\n`, "ls-refs=unborn\n", "fetch=shallow wait-for-done filter\n", "object-format=sha1\n"];
const mostLines = 1000;

/** Whether the client speaks the second version of the protocol, as its `Git-Protocol` header says. */
export function speaksVersion2(header: string | undefined): boolean {
  return header?.split(":").includes("version=2") === true;
}

/** The answer to `info/refs`. Pushing has no second version. */
export function advertise(service: GitService, refs: Refs, protocol: string | undefined): Buffer {
  const start = [line(`# service=${service}\n`), flush];
  if (service === "git-upload-pack" && speaksVersion2(protocol)) return Buffer.concat([...start, ...version2.map(line), flush]);
  const abilities =
    service === "git-upload-pack" ? [...fetchAbilities, ...(refs.tip === null ? [] : [`symref=HEAD:${branch}`])] : pushAbilities;
  const known = namesOf(refs, service === "git-upload-pack");
  const words = `\0${[...abilities, "object-format=sha1", agent].join(" ")}\n`;
  const [first = [noCommit, "capabilities^{}"], ...others] = known;
  return Buffer.concat([
    ...start,
    line(`${first[0]} ${first[1]}${words}`),
    ...others.map(([commit, name]) => line(`${commit} ${name}\n`)),
    flush,
  ]);
}

/** Names with their commits, in the order of the names. */
function namesOf({ tip, tags }: Refs, withHead: boolean): [commit: string, name: string][] {
  if (tip === null) return [];
  const tagged = [...tags].map(([name, commit]): [string, string] => [commit, `refs/tags/${name}`]);
  return [...(withHead ? [[tip, "HEAD"] as [string, string]] : []), [tip, branch], ...tagged.toSorted((a, b) => (a[1] < b[1] ? -1 : 1))];
}

/**
 * The answer to `ls-refs` of the second version; null when the request is for something else.
 *
 * @throws AppError `git_protocol`
 */
export async function listRefs(body: Buffer, refs: Refs): Promise<Buffer | null> {
  const reader = new ByteReader(Readable.from([body]));
  const words: string[] = [];
  for (let next = await readLine(reader); next !== null && next !== undefined; next = await readLine(reader)) {
    words.push(next.toString().trimEnd());
    if (words.length > mostLines) throw new AppError("git_protocol");
  }
  if (words[0] !== "command=ls-refs") return null;
  const prefixes = words.flatMap((word) => (word.startsWith("ref-prefix ") ? [word.slice("ref-prefix ".length)] : []));
  const isAsked = (name: string) => prefixes.length === 0 || prefixes.some((prefix) => name.startsWith(prefix));
  const known = namesOf(refs, true).filter(([, name]) => isAsked(name));
  const symrefs = words.includes("symrefs");
  const lines = known.map(([commit, name]) => line(`${commit} ${name}${name === "HEAD" && symrefs ? ` symref-target:${branch}` : ""}\n`));
  if (refs.tip === null && words.includes("unborn") && isAsked("HEAD")) lines.push(line(`unborn HEAD symref-target:${branch}\n`));
  return Buffer.concat([...lines, flush]);
}
