import { Box, Button, Flex, Image, Text } from "@chakra-ui/react";
import type { SandboxFile } from "@syla/sdk";
import { useMutation, useQuery } from "@tanstack/react-query";
import { Save } from "lucide-react";
import { useEffect, useState } from "react";
import { syla } from "../../app/api.ts";
import { CodeEditor } from "../../editor/code-editor.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes } from "../../ui/format.ts";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { exactPath } from "./exact-path.ts";

const maxBytes = 2 * 1024 * 1024;
const images: Readonly<Record<string, string>> = {
  png: "image/png",
  jpg: "image/jpeg",
  jpeg: "image/jpeg",
  gif: "image/gif",
  webp: "image/webp",
  svg: "image/svg+xml",
};
const languages: Readonly<Record<string, string>> = { py: "python", js: "javascript", mjs: "javascript", ts: "typescript", sh: "bash" };

/** One file: text to be edited, or a picture. */
export function FileView({ id, file }: { readonly id: string; readonly file: SandboxFile }) {
  const { files } = syla.sandboxes.open(id);
  const extension = file.name.split(".").at(-1)?.toLowerCase() ?? "";
  const shown = file.kind === "file" && file.size <= maxBytes;
  const content = useQuery({
    queryKey: ["sandbox", id, "content", file.path, file.modifiedAt],
    queryFn: async ({ signal }) => new Uint8Array(await (await files.read(exactPath(file), undefined, { signal })).arrayBuffer()),
    enabled: shown,
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
  });
  if (!shown)
    return (
      <Note>
        {file.kind === "file" ? `${formatBytes(file.size)}: too large to show here. Download it.` : "This is not an ordinary file."}
      </Note>
    );
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  if (!content.data) return <SkeletonRows rows={4} />;
  const image = images[extension];
  if (image !== undefined) return <Picture bytes={content.data} type={image} name={file.name} />;
  const text = readText(content.data);
  if (text === null) return <Note>These bytes are not text. Download the file.</Note>;
  return <Editor id={id} file={file} text={text} language={languages[extension] ?? ""} />;
}

function Note({ children }: { readonly children: string }) {
  return (
    <Text p="6" color="fg.muted">
      {children}
    </Text>
  );
}

function readText(bytes: Uint8Array): string | null {
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text.includes("\0") ? null : text;
  } catch {
    return null;
  }
}

function Editor({
  id,
  file,
  text: stored,
  language,
}: {
  readonly id: string;
  readonly file: SandboxFile;
  readonly text: string;
  readonly language: string;
}) {
  const [saved, setSaved] = useState(stored);
  const [text, setText] = useState(stored);
  const save = useMutation({
    mutationFn: (content: string) => syla.sandboxes.open(id).files.write(exactPath(file), content),
    onSuccess: (_file, content) => setSaved(content),
  });
  return (
    <Flex direction="column" h="100%" minH="240px">
      <Flex align="center" gap="2" px="4" py="2" borderBottomWidth="1px" borderColor="border">
        <Text fontFamily="mono" fontSize="xs" truncate minW="0">
          {file.path}
        </Text>
        <Button size="xs" variant="outline" ml="auto" disabled={text === saved} loading={save.isPending} onClick={() => save.mutate(text)}>
          <Save aria-hidden /> Save
        </Button>
      </Flex>
      {save.isError ? <ErrorPanel error={save.error} /> : null}
      <Box flex="1" minH="0">
        <CodeEditor value={text} language={language} onChange={setText} goTo={null} />
      </Box>
    </Flex>
  );
}

/** Drawn by `<img>`, which runs no script, also not that of an SVG. */
function Picture({ bytes, type, name }: { readonly bytes: Uint8Array<ArrayBuffer>; readonly type: string; readonly name: string }) {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return <Box p="4">{url ? <Image src={url} alt={name} maxW="100%" bg="white" /> : null}</Box>;
}
