import { Box, Button, Flex, Image, Text } from "@chakra-ui/react";
import type { Extension } from "@codemirror/state";
import type { AnalysisProblem, TreeFile } from "@syla/sdk";
import { useQuery } from "@tanstack/react-query";
import { FileX2 } from "lucide-react";
import { lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { CodeView } from "../ui/code-view.tsx";
import { saveAs } from "../ui/download-button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes } from "../ui/format.ts";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { CodeEditor, type GoTo } from "./code-editor.tsx";
import { languageOfPath } from "./editor-setup.ts";
import { fileQuery, type ReadFile } from "./file-query.ts";
import { hexLines, kindOf, mostShownBytes, partBytes, readBytes } from "./file-kinds.ts";

const TablePreview = lazy(async () => ({ default: (await import("../runs/detail/preview/table-preview.tsx")).TablePreview }));

interface FileViewProps {
  readonly file: TreeFile;
  /** Reads the file, or a part of it from its first byte. */
  readonly read: ReadFile;
  /** What was written over it here, and is not saved. */
  readonly edit: string | undefined;
  readonly readOnly: boolean;
  readonly goTo: GoTo | null;
  readonly extensions?: Extension;
  /** What is wrong with it as it is saved; null while it is another text. */
  readonly problems?: readonly AnalysisProblem[] | null;
  readonly onEdit: (text: string, loaded: string) => void;
}

/** One file: text to be written, a picture, or what can be shown of it. What is large is read only when somebody wants it. */
export function FileView(props: FileViewProps) {
  const { file, read } = props;
  const kind = kindOf(file.path);
  const isLarge = file.size > (kind === "image" ? mostShownBytes : partBytes);
  const [wants, setWants] = useState(false);
  const [asText, setAsText] = useState(kind !== "table");
  // A line of a table is one of its text.
  if (!asText && props.goTo !== null) setAsText(true);
  const part = isLarge ? partBytes : null;
  const content = useQuery({ ...fileQuery(file.sha256, part, read), enabled: file.size <= mostShownBytes && (!isLarge || wants) });
  const download = async () => saveAs(await (await read({})).blob(), file.path.split("/").at(-1) ?? "file");
  const downloading = (
    <Button size="xs" variant="outline" onClick={() => void download()}>
      Download
    </Button>
  );
  if (file.size > mostShownBytes)
    return (
      <EmptyState icon={FileX2} title="Too large to show" action={downloading}>
        {formatBytes(file.size)}. It can be downloaded, or replaced by an upload.
      </EmptyState>
    );
  if (isLarge && !wants)
    return (
      <EmptyState
        icon={FileX2}
        title="A large file"
        action={
          <Flex gap="2" justify="center">
            <Button size="xs" variant="outline" onClick={() => setWants(true)}>
              Show the beginning
            </Button>
            {downloading}
          </Flex>
        }
      >
        {formatBytes(file.size)}. Its first {formatBytes(partBytes)} can be shown here, to read.
      </EmptyState>
    );
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  if (content.isPending) return <SkeletonRows rows={4} />;
  if (kind === "image") return <Picture bytes={content.data} file={file} />;
  const text = readBytes(content.data, isLarge);
  if (text === null)
    return (
      <Box overflow="auto" h="100%" css={{ "& [role=region]": { maxHeight: "none" } }}>
        <Note>
          {formatBytes(file.size)} that are no text. {downloading}
        </Note>
        <CodeView text={hexLines(content.data)} label={`First bytes of ${file.path}`} />
      </Box>
    );
  if (isLarge)
    return (
      <Flex direction="column" h="100%" minH="0">
        <Note>
          The first {formatBytes(partBytes)} of {formatBytes(file.size)}. {downloading}
        </Note>
        <Box flex="1" minH="0">
          <CodeEditor value={text} language={languageOfPath(file.path)} onChange={() => {}} goTo={props.goTo} readOnly />
        </Box>
      </Flex>
    );
  if (!asText)
    return (
      <Flex direction="column" h="100%" minH="0">
        <Note>
          <Button size="2xs" variant="outline" onClick={() => setAsText(true)}>
            {props.readOnly ? "Read as text" : "Edit as text"}
          </Button>
        </Note>
        <Box flex="1" minH="0">
          <Suspense fallback={<SkeletonRows rows={3} />}>
            <TablePreview text={props.edit ?? text} label={file.path} cut={false} fills />
          </Suspense>
        </Box>
      </Flex>
    );
  return <Editor {...props} text={text} />;
}

function Editor({ file, edit, readOnly, goTo, extensions, problems = null, onEdit, text }: FileViewProps & { readonly text: string }) {
  return (
    <CodeEditor
      value={edit ?? text}
      language={languageOfPath(file.path)}
      onChange={(now) => onEdit(now, text)}
      goTo={goTo}
      readOnly={readOnly}
      problems={problems}
      {...(extensions === undefined ? {} : { extensions })}
    />
  );
}

function Note({ children }: { readonly children: ReactNode }) {
  return (
    <Flex align="center" gap="2" wrap="wrap" px="3" py="1.5" fontSize="xs" color="fg.muted" borderBottomWidth="1px" borderColor="border">
      {children}
    </Flex>
  );
}

function Picture({ bytes, file }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly file: TreeFile }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type: imageTypeOf(file.path) }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, file.path]);
  return (
    <Box p="4" textAlign="center" bg="bg.subtle" h="100%" overflow="auto">
      {url === null ? null : <Image src={url} alt={file.path} maxH="60vh" maxW="100%" display="inline-block" bg="white" />}
      <Text mt="2" fontSize="xs" color="fg.muted">
        {formatBytes(file.size)}
      </Text>
    </Box>
  );
}

function imageTypeOf(path: string): string {
  const ending = path.slice(path.lastIndexOf(".") + 1).toLowerCase();
  return ending === "svg" ? "image/svg+xml" : `image/${ending === "jpg" ? "jpeg" : ending}`;
}
