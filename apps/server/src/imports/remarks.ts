import type { AnalysisDocument } from "@syla/contracts/analysis";
import type { ImportProblem } from "@syla/contracts/import-problem";
import type { ImportSuggestion } from "@syla/contracts/imports";
import { fromElsewhere } from "./dependencies.ts";

const mostNamed = 20;

/** What somebody has to know of a proposal before they take it. */
export function remarksOn(suggestion: ImportSuggestion, analysis: AnalysisDocument | null): ImportProblem[] {
  return analysis === null ? [] : [...onEntrypoint(suggestion, analysis), ...onPackages(suggestion, analysis)];
}

function onEntrypoint({ entrypoint, entrypoints, leaveOut }: ImportSuggestion, analysis: AnalysisDocument): ImportProblem[] {
  const likeliest = entrypoints[0]?.path;
  const notebook = analysis.entrypoints.find(({ kind }) => kind === "notebook");
  if (likeliest === undefined && notebook !== undefined)
    return [
      {
        severity: "warning",
        code: "notebook_alone",
        path: notebook.file,
        line: null,
        column: null,
        message: "A notebook is not started as a program. Save its code as a file of its language, and bring that in with it.",
      },
    ];
  const secret = analysis.secrets.find(({ file }) => file === likeliest);
  if (likeliest === undefined || secret === undefined || !leaveOut.includes(likeliest)) return [];
  const why = `is left out because it looks secret: ${secret.reason}`;
  const message =
    entrypoint === likeliest
      ? `The program begins with this file, which ${why} Take it all the same, or name another entrypoint.`
      : `The program likely begins with this file, which ${why} ${entrypoint ?? "Nothing"} is proposed instead.`;
  return [{ severity: "warning", code: "entrypoint_left_out", path: likeliest, line: secret.line, column: null, message }];
}

function onPackages({ runtime }: ImportSuggestion, analysis: AnalysisDocument): ImportProblem[] {
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
