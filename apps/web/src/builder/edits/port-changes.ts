import type { FlowBody } from "@syla/contracts/flow";
import { refusalOf } from "@syla/flow/assignable";
import { type FlowPort, interfaceOf } from "@syla/flow/ports";
import { printType } from "@syla/flow/types";

/** What happened to one port between two versions of a module. */
export interface PortChange {
  readonly side: "input" | "output";
  readonly name: string;
  readonly change: "added" | "removed" | "type" | "needed" | "optional";
  /** The types, where there was one and where there is one. */
  readonly before: string | null;
  readonly after: string | null;
  /** What is connected with it may not fit any more, or something has to be connected. */
  readonly isBreaking: boolean;
}

/** What goes in and comes out otherwise than before: what breaks first. */
export function portChanges(before: FlowBody, after: FlowBody): PortChange[] {
  const [old, now] = [interfaceOf(before), interfaceOf(after)];
  const found = [...changesOf("input", old.inputs, now.inputs), ...changesOf("output", old.outputs, now.outputs)];
  return found.toSorted((a, b) => Number(b.isBreaking) - Number(a.isBreaking));
}

function changesOf(side: PortChange["side"], before: readonly FlowPort[], after: readonly FlowPort[]): PortChange[] {
  const names = new Set([...before, ...after].map(({ name }) => name));
  return [...names].flatMap((name) => {
    const [old, now] = [before, after].map((ports) => ports.find((port) => port.name === name));
    return changesOfPort(side, name, old, now);
  });
}

function changesOfPort(side: PortChange["side"], name: string, old: FlowPort | undefined, now: FlowPort | undefined): PortChange[] {
  const types = { before: old === undefined ? null : printType(old.type), after: now === undefined ? null : printType(now.type) };
  const say = (change: PortChange["change"], isBreaking: boolean): PortChange => ({ side, name, change, ...types, isBreaking });
  if (old === undefined) return [say("added", side === "input" && now?.isRequired === true)];
  if (now === undefined) return [say("removed", true)];
  const found: PortChange[] = [];
  // What was given before has to fit still; what comes out now has to fit where it went.
  const reason = side === "input" ? refusalOf(old.type, now.type) : refusalOf(now.type, old.type);
  if (types.before !== types.after) found.push(say("type", reason !== undefined));
  if (side === "input" && old.isRequired !== now.isRequired) found.push(say(now.isRequired ? "needed" : "optional", now.isRequired));
  return found;
}
