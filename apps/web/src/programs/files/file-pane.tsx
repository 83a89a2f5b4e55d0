import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { AnalysisDocument, Asset, TreeFile } from "@syla/sdk";
import { Download, FileX2 } from "lucide-react";
import { useMemo } from "react";
import { CodeEditor } from "../../editor/code-editor.tsx";
import { languageOfPath } from "../../editor/editor-setup.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes } from "../../ui/format.ts";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useFileContent } from "../queries.ts";
import { syla } from "../../app/api.ts";
import { codeMarks, marksOf } from "./code-marks.ts";
import type { Edit } from "./use-working-files.ts";

interface FilePaneProps {
  readonly asset: Asset;
  readonly file: TreeFile;
  readonly edit: Edit | undefined;
  /** A published version; what is there now when undefined. */
  readonly version: string | undefined;
  readonly mayEdit: boolean;
  readonly goTo: { readonly line: number; readonly column: number; readonly at: number } | null;
  /** What is marked beside the lines. */
  readonly analysis: AnalysisDocument | null;
  readonly onEdit: (text: string, loaded: string) => void;
}

/** One file: its text to write or to read, or why there is none. */
export function FilePane({ asset, file, edit, version, mayEdit, goTo, analysis, onEdit }: FilePaneProps) {
  const content = useFileContent(asset.id, file, version);
  const marks = useMemo(() => (analysis === null ? [] : codeMarks(marksOf(analysis, file.path))), [analysis, file.path]);
  if (content.isPending) return <SkeletonRows rows={4} />;
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  const { text, reason } = content.data;
  if (text === null)
    return (
      <EmptyState
        icon={FileX2}
        title={reason === "large" ? "Too large to show" : "Not text"}
        action={<DownloadButton asset={asset} file={file} version={version} />}
      >
        {formatBytes(file.size)}. It can be downloaded, or replaced by an upload.
      </EmptyState>
    );
  return (
    <Flex direction="column" h="100%" minH="0">
      {mayEdit ? null : (
        <Text px="3" py="1" fontSize="xs" color="fg.muted" bg="bg.subtle" borderBottomWidth="1px" borderColor="border">
          {version === undefined
            ? "You may read this. To change it, clone the program, or ask its owner."
            : `Version ${version}, which never changes.`}
        </Text>
      )}
      <Box flex="1" minH="0">
        <CodeEditor
          key={`${version ?? ""} ${file.path}`}
          value={version === undefined ? (edit?.text ?? text) : text}
          language={languageOfPath(file.path)}
          onChange={(now) => onEdit(now, text)}
          goTo={goTo}
          readOnly={!mayEdit}
          extensions={marks}
        />
      </Box>
    </Flex>
  );
}

/** Saves a file to the person's machine. */
function DownloadButton({ asset, file, version }: Pick<FilePaneProps, "asset" | "file" | "version">) {
  const download = async () => {
    const answer = await syla.programs.readFile(asset.id, file.path, version);
    const url = URL.createObjectURL(new Blob([await answer.arrayBuffer()], { type: "application/octet-stream" }));
    const link = document.createElement("a");
    link.href = url;
    link.download = file.path.split("/").at(-1) ?? "file";
    link.click();
    URL.revokeObjectURL(url);
  };
  return (
    <Button size="xs" variant="outline" onClick={() => void download()}>
      <Download aria-hidden /> Download
    </Button>
  );
}
