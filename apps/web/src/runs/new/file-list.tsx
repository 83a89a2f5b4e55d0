import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { FilePlus, X } from "lucide-react";
import { useRef } from "react";
import { formatBytes } from "../../ui/format.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import type { DraftFile } from "./draft.ts";
import type { PickedFile } from "../../editor/upload-files.ts";

interface FileListProps {
  readonly files: readonly DraftFile[];
  readonly uploading: boolean;
  readonly onAdd: (picked: readonly PickedFile[]) => void;
  readonly onRemove: (path: string) => void;
  /** How else they may come, or what becomes of them. */
  readonly hint?: string;
}

const usualHint = "or drop files and folders anywhere on this page. The program finds them beside itself.";

/** The files that go with the run, beside the code. */
export function FileList({ files, uploading, onAdd, onRemove, hint = usualHint }: FileListProps) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <Box>
      <Flex align="center" gap="3" mb="2" wrap="wrap">
        <Button size="xs" variant="outline" loading={uploading} loadingText="Uploading" onClick={() => input.current?.click()}>
          <FilePlus aria-hidden /> Add files
        </Button>
        <Text fontSize="xs" color="fg.muted">
          {hint}
        </Text>
        <input
          ref={input}
          type="file"
          multiple
          hidden
          aria-label="Files"
          onChange={(event) => {
            onAdd(Array.from(event.currentTarget.files ?? [], (file) => ({ path: file.name, file })));
            event.currentTarget.value = "";
          }}
        />
      </Flex>
      {files.map((file) => (
        <Flex key={file.path} align="center" gap="2" h="8">
          <Text fontFamily="mono" fontSize="xs" truncate>
            {file.path}
          </Text>
          <Text fontSize="xs" color="fg.muted" whiteSpace="nowrap">
            {formatBytes(file.size)}
          </Text>
          <IconButton label={`Remove ${file.path}`} ml="auto" onClick={() => onRemove(file.path)}>
            <X />
          </IconButton>
        </Flex>
      ))}
    </Box>
  );
}
