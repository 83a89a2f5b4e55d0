import { useEffect, useState } from "react";
import { type Draft, keepDrafts, readDrafts } from "./drafts.ts";

/** Typing is not kept letter by letter, milliseconds. */
const settledMs = 400;

/** Keeps edits against a crash, and tells what an earlier visit has left. `owner` is empty until it is known whose they are. */
export function useDrafts(owner: string, thing: string, edits: ReadonlyMap<string, Draft>) {
  const [left, setLeft] = useState<ReadonlyMap<string, Draft> | null>(null);
  useEffect(() => {
    if (owner !== "") setLeft(readDrafts(owner, thing));
  }, [owner, thing]);
  // What is offered stays kept until it was answered; then what is edited takes its place.
  const isOffered = left !== null && left.size > 0;
  const isKept = owner !== "" && left !== null && !isOffered;
  const [fits, setFits] = useState(true);
  useEffect(() => {
    if (!isKept) return;
    const keep = () => setFits(keepDrafts(owner, thing, edits));
    const timer = setTimeout(keep, edits.size === 0 ? 0 : settledMs);
    window.addEventListener("pagehide", keep);
    return () => {
      clearTimeout(timer);
      window.removeEventListener("pagehide", keep);
    };
  }, [isKept, owner, thing, edits]);
  return { offered: isOffered ? left : null, fits, answer: () => setLeft(new Map()) };
}
