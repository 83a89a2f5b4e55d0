import type { AnalysedSlot, AnalysisDocument } from "@syla/contracts/analysis";
import type { RealFile } from "./analyse-here.ts";

/** What was found, by name: `callable`, or why not. */
export function verdictsOf(document: AnalysisDocument): Record<string, string> {
  return Object.fromEntries(document.slots.map((slot) => [slot.name, slot.reasonCode ?? "callable"]));
}

/** What is told to be callable, and is no slot with these arguments once Python has imported the file. */
export function findWrong(document: AnalysisDocument, real: readonly RealFile[]): string[] {
  const found = realSlots(real);
  return document.slots.flatMap((slot) => {
    if (!slot.callable) return [];
    const place = placeOf(slot);
    const told = { kind: slot.kind, arguments: slot.arguments.map(({ name, kind }) => [name, kind.replaceAll("-", "_").toUpperCase()]) };
    const facts = found.get(place);
    return JSON.stringify(facts) === JSON.stringify(told) ? [] : [`${place}: ${JSON.stringify(facts ?? null)}`];
  });
}

/** What is a slot and was told in no way. */
export function findMissed(document: AnalysisDocument, real: readonly RealFile[]): string[] {
  const told = new Set(document.slots.map(placeOf));
  return [...realSlots(real).keys()].filter((place) => !told.has(place));
}

function realSlots(real: readonly RealFile[]) {
  return new Map(real.flatMap(({ file, slots }) => Object.entries(slots).map(([name, facts]) => [`${file} ${name}`, facts] as const)));
}

function placeOf({ file, qualifiedName, name }: AnalysedSlot): `${string} ${string}` {
  const owner = qualifiedName.split(".").at(-2) ?? "";
  return `${file} ${/^[A-Z]/.test(owner) ? `${owner}.${name}` : name}`;
}
