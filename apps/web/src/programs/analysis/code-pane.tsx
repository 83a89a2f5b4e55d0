import { Box, Text } from "@chakra-ui/react";
import { FileCode } from "lucide-react";
import { CodeView } from "../../ui/code-view.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { describePlace, notebookText, type Place } from "./place.ts";
import { useAnalysedFile } from "./queries.ts";

/** The file of what is chosen, at its line. */
export function CodePane({ runId, place }: { readonly runId: string; readonly place: Place | null }) {
  const path = place?.file ?? null;
  const file = useAnalysedFile(runId, path);
  if (place === null)
    return (
      <EmptyState icon={FileCode} title="No code chosen">
        Choose a finding to see the code that it is about.
      </EmptyState>
    );
  if (file.isError) return <ErrorPanel error={file.error} onRetry={() => void file.refetch()} />;
  if (file.data === undefined) return <SkeletonRows rows={6} />;
  const notebook = place.file.endsWith(".ipynb") && typeof place.cell === "number" ? notebookText(file.data, place) : null;
  const { text, line } = notebook ?? { text: file.data, line: place.line };
  return (
    <Box css={{ "& [role=region]": { maxHeight: "none" } }}>
      <Text px="4" py="2" fontFamily="mono" fontSize="xs" borderBottomWidth="1px" borderColor="border" overflowWrap="anywhere">
        {describePlace(place)}
      </Text>
      <CodeView key={place.file} text={text} label={`Code of ${place.file}`} line={line} />
    </Box>
  );
}
