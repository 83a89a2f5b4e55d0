import type { AnalysisDocument } from "@syla/contracts/analysis";
import type { ImportProblem } from "@syla/contracts/import-problem";
import type { ImportSuggestion } from "@syla/contracts/imports";
import { copiedFrom, fromElsewhere } from "./dependencies.ts";

const mostNamed = 20;

/** What somebody has to know of a proposal before they take it. */
export function remarksOn(suggestion: ImportSuggestion, analysis: AnalysisDocument | null): ImportProblem[] {
  return analysis === null
    ? []
    : [...onEntrypoint(suggestion, analysis), ...onProposal(suggestion, analysis), ...onPackages(suggestion, analysis)];
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

/** That nobody has written down here what is to be installed. */
function onProposal({ dependencies: { source, packages } }: ImportSuggestion, analysis: AnalysisDocument): ImportProblem[] {
  if (source !== "manual") return [];
  const [file] = copiedFrom(analysis);
  const remark = { path: file ?? null, line: null, column: null };
  if (file !== undefined)
    return [
      {
        ...remark,
        severity: "info",
        code: "dependencies_copied",
        message: "Nothing is installed from this file itself: what it names was copied, to be kept with the program.",
      },
    ];
  const names = packages.slice(0, mostNamed).map(({ name }) => name);
  const more = packages.length > mostNamed ? ` and ${packages.length - mostNamed} more` : "";
  const message = `No file says what the program needs. It was guessed from what is imported: ${names.join(", ")}${more}. Look whether these packages are meant: an index may have others by their names.`;
  return [{ ...remark, severity: "warning", code: "dependencies_guessed", message }];
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
