import { Box, Button, chakra, Flex, Text } from "@chakra-ui/react";
import type { TreeFile } from "@syla/sdk";
import { FilePlus2, FileQuestion, FileX2, Pencil, Play, Save, Trash2, Undo2, Upload } from "lucide-react";
import { type ComponentProps, lazy, type ReactNode, Suspense, useEffect, useState } from "react";
import { useNavigate, useSearchParams } from "react-router";
import { syla } from "../app/api.ts";
import { FileTree } from "../programs/files/file-tree.tsx";
import { PathDialog } from "../programs/files/path-dialog.tsx";
import { changedSearch } from "../programs/files/use-place.ts";
import { dropTarget, useSaveKey, useUnsavedWarning } from "../programs/files/use-saving.ts";
import { CodeEditor } from "../runs/new/code-editor.tsx";
import { languageOfPath } from "../runs/new/editor-setup.ts";
import { uploadFiles, type PickedFile } from "../runs/new/upload-files.ts";
import { saveAs } from "../ui/download-button.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { formatBytes } from "../ui/format.ts";
import { Modal } from "../ui/modal.tsx";
import { SelectField } from "../ui/select-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { useWorkspaceFile, useWorkspaceFiles, useWorkspaceVersions } from "./queries.ts";
import type { Edit } from "./edits.ts";
import { useWorkspaceEdits } from "./use-workspace-edits.ts";
import { useLiveSession } from "./live/use-live-session.ts";
import { mayEdit, type WorkspaceTabProps } from "./workspace-tab.ts";

const LivePane = lazy(() => import("./live/live-pane.tsx"));

type Dialog = "none" | "new" | "rename";

/** The files of a workspace, to read, write, arrange and run. */
export function FilesTab({ workspace }: WorkspaceTabProps) {
  const [search, setSearch] = useSearchParams();
  const navigate = useNavigate();
  const versions = useWorkspaceVersions(workspace.id);
  const [dialog, setDialog] = useState<Dialog>("none");
  const [error, setError] = useState<unknown>(null);
  const version = readVersion(search.get("version"));
  const listing = useWorkspaceFiles(workspace.id, workspace.revision, version);
  const working = useWorkspaceEdits(workspace, listing.data?.revision ?? workspace.revision);
  const files = listing.data?.items ?? [];
  const file = files.find(({ path }) => path === search.get("file")) ?? files[0];
  const { session } = useLiveSession();
  // What is made for several people is edited by all of them at once.
  const isLive = version === undefined && workspace.kind === "collaborative" && session !== null;
  const shown = file?.path ?? null;
  useEffect(() => {
    session?.setPath(shown);
    return () => session?.setPath(null);
  }, [session, shown]);
  const isEditable = version === undefined && mayEdit(workspace) && workspace.state !== "archived";
  const change = (changes: Readonly<Record<string, string | null>>) =>
    setSearch((before) => changedSearch(before, changes), { replace: true });
  const attempt = (work: () => Promise<unknown>) => {
    setError(null);
    work().catch(setError);
  };
  const save = () => attempt(() => working.save());
  useSaveKey(save, isEditable);
  useUnsavedWarning(working.edits.size > 0);
  const upload = (picked: readonly PickedFile[]) =>
    attempt(async () => {
      if (picked.length === 0) return;
      const uploaded = await uploadFiles(picked);
      await working.apply(uploaded.map((one) => ({ op: "write" as const, file: { path: one.path, blob: one.sha256 } })));
      if (uploaded[0] !== undefined) change({ file: uploaded[0].path });
    });
  const run = (path: string) =>
    attempt(async () => {
      await working.save();
      const started = await syla.executions.run({ workspaceId: workspace.id, entrypoint: path }, { wait: false });
      await navigate(`/runs/${started.id}`);
    });
  const remove = (path: string) =>
    attempt(async () => {
      await working.apply([{ op: "delete", path }]);
      working.discard(path);
    });
  if (listing.isPending) return <SkeletonRows rows={6} />;
  if (listing.isError) return <ErrorPanel error={listing.error} onRetry={() => void listing.refetch()} />;
  return (
    <Flex direction="column" h="100%" minH="0" {...dropTarget(isEditable, upload)}>
      <Flex align="center" gap="2" px={{ base: "4", md: "6" }} py="2" wrap="wrap" borderBottomWidth="1px" borderColor="border">
        <SelectField
          label="Version"
          size="xs"
          value={version === undefined ? "head" : String(version)}
          onChoose={(value) => change({ version: value === "head" ? null : value })}
        >
          <option value="head">Now</option>
          {(versions.data?.items ?? []).map(({ number, message }) => (
            <option key={number} value={number}>
              {`Version ${number}${message === "" ? "" : `: ${message.slice(0, 40)}`}`}
            </option>
          ))}
        </SelectField>
        {isEditable ? (
          <>
            <Button size="xs" variant="outline" onClick={() => setDialog("new")}>
              <FilePlus2 aria-hidden /> New file
            </Button>
            <UploadButton onPicked={upload} />
          </>
        ) : null}
        {isEditable && file !== undefined ? (
          <>
            <Button size="xs" variant="ghost" onClick={() => setDialog("rename")}>
              <Pencil aria-hidden /> Rename
            </Button>
            <Button size="xs" variant="ghost" onClick={() => remove(file.path)}>
              <Trash2 aria-hidden /> Delete
            </Button>
          </>
        ) : null}
        <Flex gap="2" ml="auto" wrap="wrap">
          {isEditable && file !== undefined && working.edits.has(file.path) ? (
            <Button size="xs" variant="ghost" onClick={() => working.discard(file.path)}>
              <Undo2 aria-hidden /> Discard
            </Button>
          ) : null}
          {isEditable ? (
            <Button size="xs" variant="outline" disabled={working.edits.size === 0} loading={working.isSaving} onClick={save}>
              <Save aria-hidden /> Save{working.edits.size > 1 ? ` ${working.edits.size} files` : ""}
            </Button>
          ) : null}
          {version === undefined && workspace.yourLevel !== "view" && file !== undefined && workspace.state !== "archived" ? (
            <Button size="xs" colorPalette="accent" onClick={() => run(file.path)}>
              <Play aria-hidden /> Run
            </Button>
          ) : null}
        </Flex>
      </Flex>
      {error ? <ErrorPanel error={error} /> : null}
      <Flex flex="1" minH="0" direction={{ base: "column", md: "row" }}>
        <Box
          w={{ base: "100%", md: "220px", xl: "260px" }}
          maxH={{ base: "30%", md: "none" }}
          flexShrink="0"
          overflowY="auto"
          borderRightWidth={{ md: "1px" }}
          borderBottomWidth={{ base: "1px", md: "0" }}
          borderColor="border"
        >
          <FileTree
            files={files}
            selected={file?.path ?? null}
            edited={new Set(working.edits.keys())}
            onSelect={(path) => change({ file: path })}
          />
        </Box>
        <Box flex="1" minH="0" minW="0">
          {file === undefined ? (
            <EmptyState icon={FileQuestion} title="There are no files">
              {isEditable ? "Make one, drop files or a folder here, or run something that makes some." : "Nobody has put any here."}
            </EmptyState>
          ) : (
            inLivePane(
              isLive ? { workspaceId: workspace.id, path: file.path, session, onMoved: (path) => change({ file: path }) } : null,
              <Pane
                id={workspace.id}
                file={file}
                version={version}
                edit={version === undefined ? working.edits.get(file.path) : undefined}
                readOnly={!isEditable}
                onEdit={(text, loaded) => working.edit(file, text, loaded)}
              />,
            )
          )}
        </Box>
      </Flex>
      {dialog === "new" ? (
        <PathDialog
          label="New file"
          action="Create"
          initial={folderOf(file)}
          onClose={() => setDialog("none")}
          onPath={async (path) => {
            if (files.some((other) => other.path === path)) throw new Error("There is a file of this name already.");
            await working.apply([{ op: "write", file: { path, content: "" } }]);
            change({ file: path });
          }}
        />
      ) : null}
      {dialog === "rename" && file !== undefined ? (
        <PathDialog
          label="Rename or move"
          action="Move"
          initial={file.path}
          onClose={() => setDialog("none")}
          onPath={async (path) => {
            if (working.edits.has(file.path)) throw new Error("Save the file first.");
            await working.apply([{ op: "move", from: file.path, to: path }]);
            change({ file: path });
          }}
        />
      ) : null}
      {working.conflict === null ? null : (
        <ConflictDialog
          paths={working.conflict}
          onChoose={(side) => attempt(() => working.save(side))}
          onClose={working.dismiss}
          busy={working.isSaving}
        />
      )}
    </Flex>
  );
}

/** A file that several people may edit at once, or what is shown of it otherwise. */
function inLivePane(live: Omit<ComponentProps<typeof LivePane>, "children"> | null, otherwise: ReactNode) {
  if (live === null) return otherwise;
  return (
    <Suspense fallback={<SkeletonRows rows={4} />}>
      <LivePane {...live}>{otherwise}</LivePane>
    </Suspense>
  );
}

interface PaneProps {
  readonly id: string;
  readonly file: TreeFile;
  readonly version: number | undefined;
  readonly edit: Edit | undefined;
  readonly readOnly: boolean;
  readonly onEdit: (text: string, loaded: string) => void;
}

function Pane({ id, file, version, edit, readOnly, onEdit }: PaneProps) {
  const content = useWorkspaceFile(id, file, version);
  if (content.isPending) return <SkeletonRows rows={4} />;
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  const { text, reason } = content.data;
  const download = async () =>
    saveAs(await (await syla.workspaces.readFile(id, file.path, version)).blob(), file.path.split("/").at(-1) ?? "file");
  if (text === null)
    return (
      <EmptyState
        icon={FileX2}
        title={reason === "large" ? "Too large to show" : "Not text"}
        action={
          <Button size="xs" variant="outline" onClick={() => void download()}>
            Download
          </Button>
        }
      >
        {formatBytes(file.size)}. It can be downloaded, or replaced by an upload.
      </EmptyState>
    );
  return (
    <CodeEditor
      key={`${version ?? ""} ${file.path}`}
      value={edit?.text ?? text}
      language={languageOfPath(file.path)}
      onChange={(now) => onEdit(now, text)}
      goTo={null}
      readOnly={readOnly}
    />
  );
}

function UploadButton({ onPicked }: { readonly onPicked: (picked: readonly PickedFile[]) => void }) {
  return (
    <Button size="xs" variant="outline" asChild cursor="pointer">
      <chakra.label>
        <Upload aria-hidden /> Upload
        <chakra.input
          type="file"
          multiple
          srOnly
          onChange={(event) => {
            onPicked([...(event.currentTarget.files ?? [])].map((file) => ({ path: file.name, file })));
            event.currentTarget.value = "";
          }}
        />
      </chakra.label>
    </Button>
  );
}

interface ConflictDialogProps {
  readonly paths: readonly string[];
  readonly busy: boolean;
  readonly onChoose: (side: "mine" | "theirs") => void;
  readonly onClose: () => void;
}

/** What others have changed in the same lines: one's own stays, or theirs. */
function ConflictDialog({ paths, busy, onChoose, onClose }: ConflictDialogProps) {
  return (
    <Modal label="Somebody else has changed the same" onClose={onClose}>
      <Flex direction="column" gap="3" p="4">
        <Text>
          Everything that can be put together is. In {paths.length === 1 ? "this file" : "these files"} both of you have changed the same
          lines:
        </Text>
        <Box as="ul" fontFamily="mono" fontSize="xs" pl="4">
          {paths.slice(0, 20).map((path) => (
            <li key={path}>{path}</li>
          ))}
        </Box>
        <Flex justify="flex-end" gap="2" wrap="wrap">
          <Button size="sm" variant="outline" onClick={onClose}>
            Go on editing
          </Button>
          <Button size="sm" variant="outline" disabled={busy} onClick={() => onChoose("theirs")}>
            Take theirs
          </Button>
          <Button size="sm" colorPalette="accent" disabled={busy} onClick={() => onChoose("mine")}>
            Keep mine
          </Button>
        </Flex>
      </Flex>
    </Modal>
  );
}

function folderOf(file: TreeFile | undefined): string {
  return file?.path.includes("/") === true ? file.path.slice(0, file.path.lastIndexOf("/") + 1) : "";
}

function readVersion(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
