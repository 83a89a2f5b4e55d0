import { Box, Button, Flex, Text } from "@chakra-ui/react";
import type { Extension } from "@codemirror/state";
import type { TreeFile } from "@syla/sdk";
import { useQueryClient } from "@tanstack/react-query";
import { FileQuestion } from "lucide-react";
import { type ComponentProps, lazy, type ReactNode, Suspense, useEffect, useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { useMe } from "../accounts/queries.ts";
import { syla } from "../app/api.ts";
import { ConflictDialog } from "../editor/conflict-dialog.tsx";
import { FileTabs } from "../editor/file-tabs.tsx";
import { FileTree } from "../editor/file-tree.tsx";
import { canFormat, formatText } from "../editor/format.ts";
import { isWithin, movedInto } from "../editor/path-problems.ts";
import { PathDialog } from "../editor/path-dialog.tsx";
import { QuickOpen } from "../editor/quick-open.tsx";
import { ProblemsPanel } from "../editor/problems-panel.tsx";
import type { TreeRow } from "../editor/tree-rows.ts";
import { readDropped, type PickedFile } from "../editor/upload-files.ts";
import { useDrafts } from "../editor/use-drafts.ts";
import { useEditorKeys } from "../editor/use-editor-keys.ts";
import { useOpenFiles } from "../editor/use-open-files.ts";
import { changedSearch, readPlace, useGoTo } from "../editor/use-place.ts";
import { dropTarget, useSaveKey, useUnsavedWarning } from "../editor/use-saving.ts";
import { EmptyState } from "../ui/empty-state.tsx";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { Modal } from "../ui/modal.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { Toast } from "../ui/toast.tsx";
import { RunOutput } from "../runs/new/run-output.tsx";
import { ComparedFile } from "./compared-file.tsx";
import { Dock, type DockPart, dockParts } from "./dock.tsx";
import { DraftsNote } from "./drafts-note.tsx";
import { FilesBar } from "./files-bar.tsx";
import { freeNotebookName, isNotebook } from "./notebook-files.ts";
import { OpenedFile } from "./opened-file.tsx";
import { readerOf, textAt, useWorkspaceFiles, useWorkspaceVersions } from "./queries.ts";
import { SandboxTab } from "./sandbox-tab.tsx";
import { useFileChanges } from "./use-file-changes.ts";
import { useProblems } from "./use-problems.ts";
import { useWorkspaceEdits } from "./use-workspace-edits.ts";
import { WorkspaceSearch } from "./workspace-search.tsx";
import { formatLive } from "./live/format-live.ts";
import { useFilesWithPeople } from "./live/files-with-people.tsx";
import type { LiveSession } from "./live/live-session.ts";
import { RanBy } from "./live/ran-by.tsx";
import { ownActs, useFollow } from "./live/use-follow.ts";
import { useLiveSession } from "./live/use-live-session.ts";
import { useSharedRun } from "./live/use-shared-run.ts";
import { mayEdit, type WorkspaceTabProps } from "./workspace-tab.ts";

const LivePane = lazy(async () => ({ default: (await import("./live/live-pane.tsx")).LivePane }));

type Dialog = "none" | "new" | "rename" | "open" | "tree";

interface FilesTabProps extends WorkspaceTabProps {
  /** What rows of the tree show besides, by path. */
  readonly decorations?: ReadonlyMap<string, ReactNode>;
  /** What the editor of a file does besides. */
  readonly extensionsOf?: (path: string) => Extension | undefined;
}

/** The files of a workspace, to read, write, search, arrange and run. */
export function FilesTab({ workspace, decorations, extensionsOf }: FilesTabProps) {
  const [search, setSearch] = useSearchParams();
  const client = useQueryClient();
  const me = useMe();
  const versions = useWorkspaceVersions(workspace.id);
  const [dialog, setDialog] = useState<Dialog>("none");
  const [isSearching, setSearching] = useState(false);
  const [error, setError] = useState<unknown>(null);
  const [place, setPlace] = useState<string | null>(null);
  const [compared, setCompared] = useState("");
  const [chosen, setChosen] = useState(0);
  const version = readVersion(search.get("version"));
  const listing = useWorkspaceFiles(workspace.id, workspace.revision, version);
  const working = useWorkspaceEdits(workspace, listing.data?.revision ?? workspace.revision);
  const files = listing.data?.items ?? [];
  const wanted = search.get("file");
  const { session } = useLiveSession();
  const [written, setWritten] = useState<TreeFile | null>(null);
  const [gone, setGone] = useState<string | null>(null);
  // What somebody else deletes while it is written in stays open.
  const isLeft =
    written !== null &&
    (wanted ?? written.path) === written.path &&
    (gone === null || !isWithin(written.path, gone)) &&
    !files.some(({ path }) => path === written.path) &&
    session?.opened(written.path) !== undefined;
  const file = isLeft ? written : (files.find(({ path }) => path === wanted) ?? files[0]);
  const { open, close } = useOpenFiles(`syla.open.${workspace.id}`, file?.path ?? null, (path) => files.some((one) => one.path === path));
  const isTogether = workspace.kind === "collaborative";
  // What is made for several people is edited by all of them at once.
  const isLive = version === undefined && isTogether && file !== undefined && !isNotebook(file.path);
  useEffect(() => setWritten(isLive ? file : null), [isLive, file]);
  const sharedRun = useSharedRun(isTogether, (runId) => change({ dock: "output", run: runId }));
  const { docked } = sharedRun;
  const { followed, follow } = useFollow();
  const isFollowing = followed !== null;
  useEffect(() => {
    if (isFollowing) setCompared("");
  }, [isFollowing]);
  const shownInTree = useFilesWithPeople(decorations);
  const shown = file?.path ?? null;
  useEffect(() => {
    session?.setPath(shown);
    return () => session?.setPath(null);
  }, [session, shown]);
  const isEditable = version === undefined && mayEdit(workspace) && workspace.state !== "archived";
  const mayWork = version === undefined && workspace.yourLevel !== "view" && workspace.state !== "archived";
  const mayRun = mayWork && file !== undefined;
  const changes = useFileChanges(workspace, files, working);
  const drafts = useDrafts(me.data?.id ?? "", workspace.id, working.edits);
  const goTo = useGoTo(readPlace(search), chosen);
  const parts = dockParts.filter((part) => part === "output" || (part === "problems" ? version === undefined : mayWork));
  const dock = parts.find((part) => part === search.get("dock")) ?? null;
  const problems = useProblems(workspace, dock === "problems");
  const marks = useMemo(() => problems.items.filter((one) => one.file === file?.path && one.cell === null), [problems.items, file?.path]);
  // What the keys are at in the tree, while it is there: a folder, or the open file.
  const subject = place !== null && files.some(({ path }) => isWithin(path, place)) ? place : (file?.path ?? null);
  const newFolder = folderOf(
    subject,
    files.some(({ path }) => path === subject),
  );
  const change = (fields: Readonly<Record<string, string | number | null>>) =>
    setSearch((before) => changedSearch(before, fields), { replace: true });
  const select = (path: string | null) => {
    setPlace(path);
    change({ file: path, line: null, column: null, follow: null });
    if (dialog === "tree") setDialog("none");
  };
  const attempt = (work: () => Promise<unknown>) => {
    setError(null);
    work().catch(setError);
  };
  const save = () => attempt(() => working.save());
  const upload = (picked: readonly PickedFile[], folder = "") =>
    attempt(async () => {
      const first = await changes.upload(picked, folder);
      if (first !== null) select(first);
    });
  const remove = (path: string) => {
    setGone(path);
    attempt(() => changes.remove(path));
  };
  const move = async (from: string, to: string) => {
    await changes.move(from, to);
    if (file !== undefined && isWithin(file.path, from)) select(to + file.path.slice(from.length));
  };
  const run = (entrypoint: string) =>
    attempt(async () => {
      if (!(await working.save())) return;
      const wish = { workspaceId: workspace.id, entrypoint, ...(isTogether ? { shownInWorkspace: true } : {}) };
      sharedRun.show((await syla.executions.run(wish, { wait: false })).id);
    });
  const format = () =>
    attempt(async () => {
      if (file === undefined || !isEditable || !canFormat(file.path)) return;
      const editor = isLive ? session?.opened(file.path)?.editor : null;
      if (editor != null) return await formatLive(editor, file.path);
      const saved = await textAt(client, workspace.id, file);
      const text = working.edits.get(file.path)?.text ?? saved;
      if (saved !== null && text !== null) working.edit(file, await formatText(file.path, text), saved);
    });
  const show = (part: DockPart | null) => {
    if (part === null) sharedRun.close();
    change({ dock: part });
  };
  const goToPlace = (path: string, line: number, column = 1) => {
    if (!files.some((one) => one.path === path)) return;
    if (window.matchMedia("(width < 48rem)").matches) setSearching(false);
    change({ file: path, line, column, follow: null });
    setChosen((before) => before + 1);
  };
  const openAt = (path: string, line: number | null) => (line === null ? select(path) : goToPlace(path, line));
  useSaveKey(save, isEditable);
  useUnsavedWarning(working.edits.size > 0);
  useEditorKeys({
    onOpen: () => setDialog("open"),
    onSearch: () => setSearching(true),
    onProblems: () => show(dock === "problems" ? null : "problems"),
    onTerminal: () => show(dock === "terminal" ? null : "terminal"),
    onFormat: format,
    // A notebook runs its cells by it.
    ...(file !== undefined && isNotebook(file.path) ? {} : { onRun: () => mayRun && run(file.path) }),
  });
  if (listing.isPending) return <SkeletonRows rows={6} />;
  if (listing.isError) return <ErrorPanel error={listing.error} onRetry={() => void listing.refetch()} />;
  const tree = (
    <FileTree
      files={files}
      selected={file?.path ?? null}
      edited={new Set(working.edits.keys())}
      onSelect={select}
      onActive={(row) => setPlace(row.path)}
      decorations={shownInTree}
      {...(isEditable
        ? {
            onRename: ({ path }: TreeRow) => {
              setPlace(path);
              setDialog("rename");
            },
            onDelete: ({ path }: TreeRow) => remove(path),
            onMove: (path: string, folder: string) => attempt(() => move(path, movedInto(path, folder))),
            onDropFiles: (transfer: DataTransfer, folder: string) => void readDropped(transfer).then((picked) => upload(picked, folder)),
          }
        : {})}
    />
  );
  return (
    <Flex direction="column" h="100%" minH="0" {...dropTarget(isEditable, upload)}>
      <FilesBar
        version={version}
        versions={versions.data?.items ?? []}
        onVersion={(next) => change({ version: next, follow: null })}
        compared={compared}
        onCompare={(other) => {
          setCompared(other);
          if (isFollowing) follow(null);
        }}
        isEditable={isEditable}
        isLive={isLive}
        mayRun={mayRun && !isNotebook(file.path)}
        hasFile={file !== undefined}
        isEdited={file !== undefined && working.edits.has(file.path)}
        editCount={working.edits.size}
        isSaving={working.isSaving}
        uploading={changes.uploading}
        isSearching={isSearching}
        onSearch={() => setSearching(!isSearching)}
        onTree={() => setDialog("tree")}
        onNew={() => setDialog("new")}
        onNewNotebook={() =>
          attempt(async () => {
            const path = freeNotebookName(files, newFolder);
            await changes.create(path);
            select(path);
          })
        }
        onUpload={upload}
        onRename={() => setDialog("rename")}
        onDelete={() => subject !== null && remove(subject)}
        onDiscard={() => file !== undefined && working.discard(file.path)}
        onSave={save}
        onRun={() => file !== undefined && run(file.path)}
        onFormat={isEditable && file !== undefined && canFormat(file.path) ? format : null}
        isDocked={dock !== null}
        onDock={() => show(dock === null ? (search.get("run") === null ? "problems" : "output") : null)}
      />
      {error ? <ErrorPanel error={error} /> : null}
      {drafts.offered !== null && isEditable ? (
        <DraftsNote
          count={drafts.offered.size}
          onTake={() => {
            working.restore(drafts.offered ?? new Map());
            drafts.answer();
          }}
          onDrop={drafts.answer}
        />
      ) : null}
      {drafts.fits ? null : (
        <Text role="status" px="4" py="1" fontSize="xs" bg="bg.warning">
          What is not saved is too much to be kept against a crash. Save it.
        </Text>
      )}
      <Flex flex="1" minH="0">
        <Box
          display={{ base: isSearching ? "block" : "none", md: "block" }}
          w={{ base: "100%", md: isSearching ? "300px" : "220px", xl: isSearching ? "340px" : "260px" }}
          flexShrink="0"
          borderRightWidth="1px"
          borderColor="border"
        >
          {isSearching ? (
            <WorkspaceSearch
              workspace={workspace}
              files={files}
              version={version}
              isEditable={isEditable}
              working={working}
              onOpen={goToPlace}
            />
          ) : (
            tree
          )}
        </Box>
        <Flex direction="column" flex="1" minW="0" minH="0" hideBelow={isSearching ? "md" : undefined}>
          <FileTabs
            open={open}
            current={file?.path ?? null}
            edited={new Set(working.edits.keys())}
            onSelect={select}
            onClose={(path) => {
              const next = close(path);
              if (path === file?.path) select(next);
            }}
          />
          <Box flex="1" minH="0" {...(isFollowing ? ownActs(() => follow(null)) : {})}>
            {file === undefined ? (
              <EmptyState
                icon={FileQuestion}
                title="There are no files"
                action={
                  isEditable ? (
                    <Button size="xs" variant="outline" onClick={() => setDialog("new")}>
                      Make a file
                    </Button>
                  ) : null
                }
              >
                {isEditable ? "Make one, drop files or a folder here, or run something that makes some." : "Nobody has put any here."}
              </EmptyState>
            ) : compared !== "" ? (
              <ComparedFile
                workspace={workspace}
                file={file}
                version={version}
                edit={working.edits.get(file.path)?.text}
                other={compared}
              />
            ) : (
              inLivePane(
                isLive
                  ? {
                      workspaceId: workspace.id,
                      path: file.path,
                      session,
                      goTo: wanted === file.path ? goTo : null,
                      problems: problems.isStale ? null : marks,
                      onMoved: (path) => change({ file: path, line: null, column: null }),
                    }
                  : null,
                <OpenedFile
                  workspace={workspace}
                  mayRun={mayRun}
                  onSave={save}
                  key={`${version ?? ""} ${file.path}`}
                  file={file}
                  read={readerOf(workspace.id, file.path, version)}
                  edit={version === undefined ? working.edits.get(file.path)?.text : undefined}
                  readOnly={!isEditable}
                  goTo={wanted === file.path ? goTo : null}
                  problems={version !== undefined || working.edits.has(file.path) || problems.isStale ? null : marks}
                  {...extensionOf(extensionsOf?.(file.path))}
                  onEdit={(text, loaded) => working.edit(file, text, loaded)}
                />,
              )
            )}
          </Box>
          {dock === null ? null : (
            <Dock shown={dock} parts={parts} counts={{ problems: problems.items.length }} onShow={show}>
              {dock === "output" ? (
                <>
                  {docked?.by != null && docked.runId === search.get("run") ? <RanBy {...docked.by} /> : null}
                  <RunOutput runId={search.get("run") ?? ""} reused={false} failure={null} onLocation={goToPlace} />
                </>
              ) : null}
              {dock === "terminal" ? <SandboxTab workspace={workspace} /> : null}
              {dock === "problems" ? <ProblemsPanel {...problems} hasEdits={working.edits.size > 0} onOpen={goToPlace} /> : null}
            </Dock>
          )}
        </Flex>
      </Flex>
      {changes.done === null ? null : <Toast text={changes.done.text} onGone={changes.forget} {...undoOf(changes.done.undo, attempt)} />}
      {dialog === "tree" ? (
        <Modal label="Files" place="left" width="min(300px, 85vw)" onClose={() => setDialog("none")}>
          <Box h="calc(100dvh - 60px)">{tree}</Box>
        </Modal>
      ) : null}
      {dialog === "open" ? <QuickOpen files={files} onOpen={openAt} onClose={() => setDialog("none")} /> : null}
      {dialog === "new" ? (
        <PathDialog
          label="New file"
          action="Create"
          initial={newFolder}
          onClose={() => setDialog("none")}
          onPath={async (path) => {
            await changes.create(path);
            select(path);
          }}
        />
      ) : null}
      {dialog === "rename" && subject !== null ? (
        <PathDialog
          label="Rename or move"
          action="Move"
          initial={subject}
          onClose={() => setDialog("none")}
          onPath={(path) => move(subject, path)}
        />
      ) : null}
      {working.conflict === null ? null : (
        <ConflictDialog
          conflicts={working.conflict.conflicts}
          onSettle={working.settle}
          onKeepMine={async () => void (await working.save("mine"))}
          onClose={working.dismiss}
        />
      )}
    </Flex>
  );
}

function extensionOf(extensions: Extension | undefined) {
  return extensions === undefined ? {} : { extensions };
}

/** A file that is edited together; the connection may still be on its way. */
type LivePlace = Omit<ComponentProps<typeof LivePane>, "children" | "session"> & { readonly session: LiveSession | null };

/** A file that several people may edit at once, or what is shown of it otherwise. */
function inLivePane(live: LivePlace | null, otherwise: ReactNode) {
  if (live === null) return otherwise;
  const { session, ...place } = live;
  if (session === null) return <SkeletonRows rows={4} />;
  return (
    <Suspense fallback={<SkeletonRows rows={4} />}>
      <LivePane {...place} session={session}>
        {otherwise}
      </LivePane>
    </Suspense>
  );
}

function undoOf(undo: (() => Promise<void>) | null, attempt: (work: () => Promise<unknown>) => void) {
  return undo === null ? {} : { action: { label: "Undo", run: () => attempt(undo) } };
}

/** Where a new file is made: in the folder that is chosen, or beside the file. */
function folderOf(path: string | null, isFile: boolean): string {
  if (path === null) return "";
  return isFile ? path.slice(0, path.lastIndexOf("/") + 1) : `${path}/`;
}

function readVersion(text: string | null): number | undefined {
  return text !== null && /^[1-9]\d{0,8}$/.test(text) ? Number(text) : undefined;
}
