import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { type Asset, SylaError } from "@syla/sdk";
import { FileSpreadsheet, Upload as UploadIcon } from "lucide-react";
import { type DragEvent, type FormEvent, useRef, useState } from "react";
import { useNavigate } from "react-router";
import { assetPath } from "../catalog/asset-looks.tsx";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { formatBytes } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { useUpload } from "./queries.ts";

interface UploadDialogProps {
  /** Whose rows are replaced; null: a new dataset. */
  readonly into: Asset | null;
  readonly onClose: () => void;
}

/** Uploads a file as a new dataset, or as the next version of one. */
export function UploadDialog({ into, onClose }: UploadDialogProps) {
  const [file, setFile] = useState<File | null>(null);
  const [typedName, setName] = useState<string | null>(null);
  const [description, setDescription] = useState("");
  const [sent, setSent] = useState(0);
  const upload = useUpload(setSent);
  const navigate = useNavigate();
  const name = typedName ?? file?.name.replace(/\.[^.]+$/, "").slice(0, 100) ?? "";
  const send = (encoding: "auto" | "latin1") => {
    if (file === null || upload.isPending) return;
    setSent(0);
    const onSuccess = (asset: Asset) => {
      onClose();
      void navigate(assetPath(asset));
    };
    upload.mutate({ upload: { file, encoding }, into, name, description }, { onSuccess });
  };
  const onSubmit = (event: FormEvent) => {
    event.preventDefault();
    send("auto");
  };
  const nameProblem = fieldProblem(upload.error, "name");
  const isLatin = upload.error instanceof SylaError && upload.error.code === "dataset_encoding";
  return (
    <Modal label={into === null ? "New dataset" : `Other rows of ${into.name}`} onClose={onClose} width="34rem">
      <Flex as="form" onSubmit={onSubmit} direction="column" gap="3" p="4">
        <DropZone
          file={file}
          onFile={(chosen) => {
            setFile(chosen);
            upload.reset();
          }}
        />
        {into === null ? (
          <>
            <TextField
              label="Name"
              required
              maxLength={100}
              value={name}
              problem={nameProblem}
              onChange={(event) => setName(event.currentTarget.value)}
            />
            <TextAreaField
              label="Description"
              rows={2}
              maxLength={1000}
              value={description}
              onChange={(event) => setDescription(event.currentTarget.value)}
            />
          </>
        ) : (
          <Text color="fg.muted">They are published as the next version; those that are there stay in their versions.</Text>
        )}
        {upload.isPending && file !== null ? <Sent sent={sent} size={file.size} /> : null}
        {upload.error && nameProblem === null ? (
          <ErrorPanel error={upload.error}>
            {isLatin ? (
              <Button mt="2" size="xs" variant="outline" onClick={() => send("latin1")}>
                Read it as Latin-1
              </Button>
            ) : null}
          </ErrorPanel>
        ) : null}
        <Flex justify="flex-end" gap="2">
          <Button size="sm" variant="outline" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit" size="sm" colorPalette="accent" disabled={file === null} loading={upload.isPending} loadingText="Uploading">
            Upload
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

/** Where a file is dropped or chosen. */
function DropZone({ file, onFile }: { readonly file: File | null; readonly onFile: (file: File) => void }) {
  const [isOver, setOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const take = (files: FileList | null) => {
    const [first] = files ?? [];
    if (first !== undefined) onFile(first);
  };
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer.files);
  };
  return (
    <Flex
      direction="column"
      align="center"
      gap="2"
      p="6"
      rounded="md"
      borderWidth="2px"
      borderStyle="dashed"
      borderColor={isOver ? "accent.solid" : "border"}
      textAlign="center"
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={onDrop}
    >
      {file === null ? (
        <Text color="fg.muted">Drop a file here: CSV, TSV, JSON, JSON Lines or Parquet, 100 MB at most</Text>
      ) : (
        <Flex align="center" gap="2" minW="0" maxW="full">
          <FileSpreadsheet size={16} aria-hidden />
          <Text truncate fontWeight="medium">
            {file.name}
          </Text>
          <Text color="fg.muted" flexShrink="0">
            {formatBytes(file.size)}
          </Text>
        </Flex>
      )}
      <Button size="xs" variant="outline" onClick={() => input.current?.click()}>
        <UploadIcon aria-hidden /> {file === null ? "Choose a file" : "Choose another"}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="A file of rows"
        accept=".csv,.tsv,.tab,.json,.jsonl,.ndjson,.parquet,.txt"
        onChange={(event) => take(event.currentTarget.files)}
      />
    </Flex>
  );
}

/** How far the upload is. When all is sent, the server reads the rest. */
function Sent({ sent, size }: { readonly sent: number; readonly size: number }) {
  const share = size === 0 ? 1 : Math.min(1, sent / size);
  return (
    <Box>
      <Box h="1.5" rounded="full" bg="bg.emphasized" overflow="hidden">
        <Box h="full" bg="accent.solid" style={{ width: `${Math.round(share * 100)}%` }} />
      </Box>
      <Text mt="1" fontSize="xs" color="fg.muted" role="status">
        {share < 1 ? `${formatBytes(sent)} of ${formatBytes(size)} sent` : "Reading the rows"}
      </Text>
    </Box>
  );
}
