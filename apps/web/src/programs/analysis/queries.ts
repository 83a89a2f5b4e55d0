import { useMutation, useQuery } from "@tanstack/react-query";
import type { Analysis, FileInput } from "@syla/sdk";
import { syla } from "../../app/api.ts";
import { type PickedFile, uploadFiles } from "../../editor/upload-files.ts";

/** Not part of a program: history, and what tools can make again. */
const ignoredFolders = new Set([".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".pytest_cache", ".mypy_cache"]);
/** What is shown of a file beside the findings. */
const shownBytes = 2 * 1024 * 1024;

/** What may belong to a program, named from the folder that everything lies in. */
function programFiles(picked: readonly PickedFile[]): readonly PickedFile[] {
  const kept = picked.filter(
    ({ path }) =>
      !path
        .split("/")
        .slice(0, -1)
        .some((folder) => ignoredFolders.has(folder)),
  );
  const folder = `${kept[0]?.path.split("/")[0] ?? ""}/`;
  const shared = kept.length > 0 && kept.every(({ path }) => path.startsWith(folder));
  return shared ? kept.map(({ path, file }) => ({ path: path.slice(folder.length), file })) : kept;
}

/** Uploads the files and analyses them; then `onDone` is told the run. */
export function useAnalyse(onDone: (analysis: Analysis) => void) {
  return useMutation({
    mutationFn: async (picked: readonly PickedFile[]) => {
      const uploaded = await uploadFiles(programFiles(picked));
      return await syla.analyses.create(uploaded.map(({ path, sha256 }): FileInput => ({ path, blob: sha256 })));
    },
    onSuccess: onDone,
  });
}

/** What an analysis told. */
export function useAnalysis(runId: string) {
  return useQuery({
    queryKey: ["analysis", runId],
    queryFn: ({ signal }) => syla.analyses.get(runId, { signal }),
    enabled: runId !== "",
    staleTime: Number.POSITIVE_INFINITY,
  });
}

/** The text of a file that was analysed; bytes that are no UTF-8 are shown as such. */
export function useAnalysedFile(runId: string, path: string | null) {
  return useQuery({
    queryKey: ["analysis", runId, "file", path],
    queryFn: async ({ signal }) => {
      const bytes = new Uint8Array(await (await syla.runs.file(runId, path ?? "", { signal })).arrayBuffer());
      return new TextDecoder().decode(bytes.subarray(0, shownBytes));
    },
    enabled: path !== null,
    staleTime: Number.POSITIVE_INFINITY,
  });
}
