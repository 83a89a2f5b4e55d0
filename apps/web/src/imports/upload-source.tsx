import { Button, Flex, Text } from "@chakra-ui/react";
import { useMutation } from "@tanstack/react-query";
import { FolderUp, Upload } from "lucide-react";
import { type DragEvent, useRef, useState } from "react";
import { syla } from "../app/api.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatPlural } from "../ui/format.ts";
import { filesOfDrop, filesOfInput, type PickedFile, toSource } from "./picked-files.ts";
import type { SourceProps } from "./source-step.tsx";

/** A folder, files or an archive, dropped or chosen. */
export function UploadSource({ onSource }: SourceProps) {
  const [isOver, setOver] = useState(false);
  const [uploaded, setUploaded] = useState(0);
  const folderInput = useRef<HTMLInputElement>(null);
  const fileInput = useRef<HTMLInputElement>(null);
  const send = useMutation({
    mutationFn: (files: readonly PickedFile[]) => toSource(syla, files, setUploaded),
    onSuccess: onSource,
  });
  const take = (files: readonly PickedFile[]) => {
    if (files.length > 0) send.mutate(files);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void filesOfDrop(event.dataTransfer.items).then(take);
  };
  return (
    <Flex direction="column" gap="3">
      <Flex
        direction="column"
        align="center"
        gap="3"
        p="10"
        rounded="md"
        borderWidth="2px"
        borderStyle="dashed"
        borderColor={isOver ? "accent.solid" : "border"}
        bg="bg.panel"
        textAlign="center"
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        <Text color="fg.muted">Drop a folder, files or an archive (.zip, .tar, .tar.gz, .tar.zst) here</Text>
        <Flex gap="2" wrap="wrap" justify="center">
          <Button size="sm" variant="outline" loading={send.isPending} onClick={() => folderInput.current?.click()}>
            <FolderUp aria-hidden /> Choose a folder
          </Button>
          <Button size="sm" variant="outline" loading={send.isPending} onClick={() => fileInput.current?.click()}>
            <Upload aria-hidden /> Choose files
          </Button>
        </Flex>
        <input
          ref={folderInput}
          type="file"
          hidden
          aria-label="A folder"
          {...{ webkitdirectory: "" }}
          onChange={(event) => take(filesOfInput(event.currentTarget.files))}
        />
        <input
          ref={fileInput}
          type="file"
          multiple
          hidden
          aria-label="Files"
          onChange={(event) => take(filesOfInput(event.currentTarget.files))}
        />
        {send.isPending ? (
          <Text role="status" fontSize="xs" color="fg.subtle">
            {formatPlural(uploaded, "file")} sent
          </Text>
        ) : null}
      </Flex>
      {send.error ? <ErrorPanel error={send.error} /> : null}
    </Flex>
  );
}
