import { AppError } from "@syla/contracts/errors";
import type { ByteReader } from "./byte-reader.ts";
import { flush, line, onBand, readLine } from "./pkt-line.ts";
import { branch, noCommit } from "./refs.ts";

/** What a client sends before the pack of a push, and what it is told after it. Source: gitprotocol-pack(5). */

/** What a client wants to happen to a name. */
export interface Command {
  readonly from: string;
  readonly to: string;
  readonly name: string;
}

/** What a client wants of a push. */
export interface PushRequest {
  readonly commands: readonly Command[];
  /** There were more, which are not kept. */
  readonly isCut: boolean;
  /** It takes words for people beside the report. */
  readonly isBanded: boolean;
}

/** What came of a push. `refusal`: why nothing did. */
export interface Pushed {
  readonly versions: readonly number[];
  readonly refusal: string | null;
}

export const mostCommands = 1000;
const mostLines = 1_000_000;
const mostNameLength = 1000;
const objectName = /^[0-9a-f]{40}$/;

/** Reads up to the pack. @throws AppError `git_protocol` */
export async function readPushRequest(reader: ByteReader): Promise<PushRequest> {
  const commands: Command[] = [];
  let [isCut, isBanded] = [false, false];
  let lines = 0;
  for (let next = await readLine(reader); next !== null && next !== undefined; next = await readLine(reader)) {
    lines += 1;
    const [text = "", abilities] = next.toString().split("\0", 2);
    // Where the client's history ends is no matter: what it sends has to fit onto ours.
    const isCommand = !text.startsWith("shallow ");
    if (abilities?.split(/[ \n]/).includes("side-band-64k") === true) isBanded = true;
    const [from = "", to = "", name = "", ...rest] = text.trimEnd().split(" ");
    const isWhole = objectName.test(from) && objectName.test(to) && name !== "" && name.length <= mostNameLength && rest.length === 0;
    if ((isCommand && !isWhole) || lines > mostLines) throw new AppError("git_protocol");
    if (isCommand && commands.length < mostCommands) commands.push({ from, to, name });
    else if (isCommand) isCut = true;
  }
  return { commands, isCut, isBanded };
}

/** Whether a pack follows: not when everything is to be deleted. */
export function bringsCommits({ commands }: PushRequest): boolean {
  return commands.some(({ to }) => to !== noCommit);
}

/** The report of a push, in the words that git shows to people. */
export function reportPush({ commands, isBanded, isCut }: PushRequest, { versions, refusal }: Pushed): Buffer {
  const saidOf = ({ name }: Command) => {
    if (name !== branch && !isCut) return `ng ${name} a workspace has the branch main alone, and tags of its versions\n`;
    return refusal === null ? `ok ${name}\n` : `ng ${name} ${refusal}\n`;
  };
  const report = Buffer.concat([line("unpack ok\n"), ...commands.map((command) => line(saidOf(command))), flush]);
  if (!isBanded) return report;
  const words = versions.length === 0 ? [] : [onBand(2, `Made version ${versions.join(", ")}.\n`)];
  return Buffer.concat([...words, onBand(1, report), flush]);
}
