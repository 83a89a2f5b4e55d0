import type { AnalysisDocument } from "@syla/contracts/analysis";
import type { ImportProblem } from "@syla/contracts/import-problem";
import type { ImportSuggestion } from "@syla/contracts/imports";
import { fromElsewhere } from "./dependencies.ts";

const mostNamed = 20;

/** What somebody has to know of a proposal before they take it. */
export function remarksOn({ runtime }: ImportSuggestion, analysis: AnalysisDocument | null): ImportProblem[] {
  return fromElsewhere(analysis, runtime)
    .slice(0, mostNamed)
    .map(({ name, url, file, line }) => ({
      severity: "warning",
      code: "not_from_an_index",
      path: file,
      line,
      column: null,
      message: `${name} comes from ${JSON.stringify(url)} and from no index, so it cannot be installed. Put its files among those of the program, or name a package of the index that has it.`,
    }));
}
