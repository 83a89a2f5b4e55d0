import type { AnalysisDocument } from "@syla/sdk";
import type { Place } from "./place.ts";

/** The parts of an analysis, in the order of their tabs. */
export const parts = ["slots", "calls", "entrypoints", "dependencies", "variables", "secrets", "problems"] as const;
export type Part = (typeof parts)[number];

export const partLabels: Readonly<Record<Part, string>> = {
  slots: "Slots",
  calls: "Calls",
  entrypoints: "Entrypoints",
  dependencies: "Dependencies",
  variables: "Variables",
  secrets: "Secrets",
  problems: "Problems",
};

/** What to do about a part that is empty. */
export const emptyNotes: Readonly<Record<Part, string>> = {
  slots: "Functions that are decorated with mellea's @generative are listed here.",
  calls: "Uses of mellea's sessions, requirements and backends are listed here.",
  entrypoints: "Nothing says where the program is started: a main.py, a project script or a __main__ block would.",
  dependencies: "The program needs nothing but its own files, as far as they say.",
  variables: "It reads no environment variables, as far as its source tells.",
  secrets: "No file looks as if it held a secret.",
  problems: "Every file could be read.",
};

/** What every list of findings takes. */
export interface ListProps<T> {
  readonly items: readonly T[];
  readonly isSelected: (place: Place) => boolean;
  readonly onSelect: (place: Place) => void;
}

/** The tab of an address; the first that has something when it names none. */
export function partOf(text: string | null, analysis: AnalysisDocument): Part {
  return parts.find((part) => part === text) ?? parts.find((part) => analysis[part].length > 0) ?? "slots";
}

/** How many there are, with those that were left out. */
export function countOf(analysis: AnalysisDocument, part: Part): number {
  return analysis[part].length + analysis.leftOut[part];
}
