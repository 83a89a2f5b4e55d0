import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { SandboxFile } from "@syla/sdk";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CornerLeftUp, Download, File, Folder, FolderPlus, Pencil, RotateCw, Trash2, Upload } from "lucide-react";
import { lazy, Suspense, useRef, useState } from "react";
import { useSearchParams } from "react-router";
import { syla } from "../../app/api.ts";
import { type PickedFile, readDropped } from "../../editor/upload-files.ts";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { TextField } from "../../ui/form-field.tsx";
import { formatBytes } from "../../ui/format.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { Modal } from "../../ui/modal.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useFolder, useFolderChanges } from "../queries.ts";
import { exactPath } from "./exact-path.ts";

const FileView = lazy(async () => ({ default: (await import("./file-view.tsx")).FileView }));

/** What the small dialog asks for. */
type Asking = { readonly kind: "folder" } | { readonly kind: "rename" | "delete"; readonly file: SandboxFile };

/** The files of a sandbox: one folder at a time, whose place stands in the address. */
export function FilesPanel({ id }: { readonly id: string }) {
  const [search, setSearch] = useSearchParams();
  const path = search.get("path") ?? "/workspace";
  const folder = useFolder(id, path);
  useFolderChanges(id, path);
  const client = useQueryClient();
  const [opened, setOpened] = useState<SandboxFile | null>(null);
  const [asking, setAsking] = useState<Asking | null>(null);
  const [over, setOver] = useState(false);
  const picker = useRef<HTMLInputElement>(null);
  const { files } = syla.sandboxes.open(id);
  const go = (to: string) => {
    setOpened(null);
    setSearch({ tab: "files", path: to });
  };
  const change = useMutation({
    mutationFn: (work: () => Promise<unknown>) => work(),
    onSettled: () => void client.invalidateQueries({ queryKey: ["sandbox", id, "files"] }),
  });
  const upload = (picked: readonly PickedFile[]) =>
    change.mutate(async () => {
      for (const { path: name, file } of picked) await files.write(`${path}/${name}`, file);
    });
  return (
    <Flex direction={{ base: "column", md: "row" }} h="100%" minH="0">
      <Flex
        direction="column"
        w={{ base: "100%", md: "340px" }}
        flex={{ base: opened ? "0 0 40%" : "1", md: "0 0 340px" }}
        minH="0"
        borderRightWidth={{ md: "1px" }}
        borderColor="border"
        bg={over ? "accent.subtle" : undefined}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          void readDropped(event.dataTransfer).then(upload);
        }}
      >
        <Flex align="center" gap="1" px={{ base: "4", md: "6" }} py="2" borderBottomWidth="1px" borderColor="border">
          <IconButton label="The folder above" disabled={path === "/"} onClick={() => go(path.replace(/\/[^/]*$/, "") || "/")}>
            <CornerLeftUp />
          </IconButton>
          <Text flex="1" minW="0" truncate fontFamily="mono" fontSize="xs" title={path}>
            {path}
          </Text>
          <IconButton label="Look again" onClick={() => void folder.refetch()}>
            <RotateCw />
          </IconButton>
          <IconButton label="New folder" onClick={() => setAsking({ kind: "folder" })}>
            <FolderPlus />
          </IconButton>
          <IconButton label="Upload files" loading={change.isPending} onClick={() => picker.current?.click()}>
            <Upload />
          </IconButton>
          <chakra.input
            ref={picker}
            type="file"
            multiple
            hidden
            aria-label="Files to upload"
            onChange={(event) => {
              upload(Array.from(event.currentTarget.files ?? [], (file) => ({ path: file.name, file })));
              event.currentTarget.value = "";
            }}
          />
        </Flex>
        {change.isError ? <ErrorPanel error={change.error} /> : null}
        <Box flex="1" minH="0" overflowY="auto" tabIndex={0} outlineOffset="-2px">
          {folder.isError ? <ErrorPanel error={folder.error} onRetry={() => void folder.refetch()} /> : null}
          {folder.isPending ? <SkeletonRows rows={4} /> : null}
          {folder.data?.items.length === 0 ? (
            <Text px={{ base: "4", md: "6" }} py="3" color="fg.subtle">
              Empty. Drop files here.
            </Text>
          ) : null}
          {folder.data?.items.map((file) => (
            <FileRow
              key={file.pathBase64 ?? file.path}
              file={file}
              href={files.url(exactPath(file))}
              current={opened?.path === file.path}
              onOpen={() => (file.kind === "folder" ? go(file.path) : setOpened(file))}
              onAsk={(kind) => setAsking({ kind, file })}
            />
          ))}
          {folder.data?.truncated === true ? (
            <Text px={{ base: "4", md: "6" }} py="2" fontSize="xs" color="fg.subtle">
              Only the first 2,000 are shown.
            </Text>
          ) : null}
        </Box>
      </Flex>
      <Box flex="1" minW="0" minH="0">
        {opened ? (
          <Suspense fallback={<SkeletonRows rows={4} />}>
            <FileView key={opened.path} id={id} file={opened} />
          </Suspense>
        ) : (
          <Text p="6" color="fg.subtle" hideBelow="md">
            Choose a file to look at it.
          </Text>
        )}
      </Box>
      {asking ? (
        <AskDialog
          asking={asking}
          onClose={() => setAsking(null)}
          onAnswer={(name) => {
            setAsking(null);
            if (asking.kind === "folder") return change.mutate(() => files.mkdir(`${path}/${name}`));
            setOpened(null);
            if (asking.kind === "rename") return change.mutate(() => files.move(exactPath(asking.file), `${path}/${name}`));
            return change.mutate(() => files.remove(exactPath(asking.file), { recursive: true }));
          }}
        />
      ) : null}
    </Flex>
  );
}

interface FileRowProps {
  readonly file: SandboxFile;
  readonly href: string;
  readonly current: boolean;
  readonly onOpen: () => void;
  readonly onAsk: (kind: "rename" | "delete") => void;
}

function FileRow({ file, href, current, onOpen, onAsk }: FileRowProps) {
  const Icon = file.kind === "folder" ? Folder : File;
  return (
    <Flex align="center" gap="1" px={{ base: "4", md: "6" }} py="0.5" bg={current ? "bg.muted" : undefined} _hover={{ bg: "bg.muted" }}>
      <chakra.button
        display="flex"
        alignItems="center"
        gap="2"
        flex="1"
        minW="0"
        minH="8"
        textAlign="left"
        cursor="pointer"
        aria-pressed={current}
        onClick={onOpen}
      >
        <Box color="fg.subtle" flexShrink="0" aria-hidden>
          <Icon size={14} />
        </Box>
        <Text truncate flex="1" minW="0" fontSize="sm" title={file.name}>
          {file.name}
        </Text>
        <Text fontSize="xs" color="fg.muted" whiteSpace="nowrap">
          {file.kind === "file" ? formatBytes(file.size) : ""}
        </Text>
      </chakra.button>
      {file.kind === "file" ? (
        <IconButton label={`Download ${file.name}`} asChild>
          <a href={href} download={file.name} aria-label={`Download ${file.name}`}>
            <Download />
          </a>
        </IconButton>
      ) : null}
      <IconButton label={`Rename ${file.name}`} onClick={() => onAsk("rename")}>
        <Pencil />
      </IconButton>
      <IconButton label={`Delete ${file.name}`} onClick={() => onAsk("delete")}>
        <Trash2 />
      </IconButton>
    </Flex>
  );
}

interface AskDialogProps {
  readonly asking: Asking;
  readonly onClose: () => void;
  readonly onAnswer: (name: string) => void;
}

function AskDialog({ asking, onClose, onAnswer }: AskDialogProps) {
  const [name, setName] = useState(asking.kind === "folder" ? "" : asking.file.name);
  const label = { folder: "New folder", rename: "Rename", delete: "Delete?" }[asking.kind];
  return (
    <Modal label={label} onClose={onClose}>
      <chakra.form
        display="flex"
        flexDirection="column"
        gap="3"
        p="4"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim() !== "" && !name.includes("/")) onAnswer(name);
        }}
      >
        {asking.kind === "delete" ? (
          <Text overflowWrap="anywhere">
            {asking.file.name}
            {asking.file.kind === "folder" ? " with everything in it" : ""} will be gone.
          </Text>
        ) : (
          <TextField
            label="Name"
            value={name}
            problem={name.includes("/") ? "without slashes" : null}
            onChange={(event) => setName(event.currentTarget.value)}
          />
        )}
        <Flex justify="flex-end">
          <Button type="submit" size="sm" colorPalette={asking.kind === "delete" ? "red" : "accent"}>
            {asking.kind === "delete" ? "Delete" : "Save"}
          </Button>
        </Flex>
      </chakra.form>
    </Modal>
  );
}
