import { Box, Flex, Text } from "@chakra-ui/react";
import type { TreeFile } from "@syla/sdk";
import { FileQuestion } from "lucide-react";
import { useMemo, useState } from "react";
import { useSearchParams } from "react-router";
import { syla } from "../../app/api.ts";
import { uploadFiles, type PickedFile } from "../../editor/upload-files.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useStoredFlag } from "../../ui/use-stored-flag.ts";
import type { Place } from "../analysis/place.ts";
import { readerOf, useProgramFiles } from "../queries.ts";
import type { AssetTabProps } from "../../catalog/asset-page.tsx";
import { PublishDialog } from "../versions/publish-dialog.tsx";
import { ConflictDialog } from "../../editor/conflict-dialog.tsx";
import { FileTabs } from "../../editor/file-tabs.tsx";
import { FileTree } from "../../editor/file-tree.tsx";
import { FileView } from "../../editor/file-view.tsx";
import { codeMarks, marksOf } from "./code-marks.ts";
import { FilesToolbar } from "./files-toolbar.tsx";
import { FindingsPanel } from "./findings-panel.tsx";
import { PathDialog } from "../../editor/path-dialog.tsx";
import { QuickOpen } from "../../editor/quick-open.tsx";
import { useLooking } from "./use-looking.ts";
import { changedSearch, readPart, readPlace, useGoTo } from "../../editor/use-place.ts";
import { useEditorKeys } from "../../editor/use-editor-keys.ts";
import { useOpenFiles } from "../../editor/use-open-files.ts";
import { dropTarget, useSaveKey, useUnsavedWarning } from "../../editor/use-saving.ts";
import { useWorkingFiles } from "./use-working-files.ts";

type Dialog = "none" | "new" | "rename" | "open" | "version";

/** The files of a program, to read, write and arrange. */
export function FilesTab({ asset }: AssetTabProps) {
  const working = useWorkingFiles(asset);
  const [search, setSearch] = useSearchParams();
  const [dialog, setDialog] = useState<Dialog>("none");
  const [error, setError] = useState<unknown>(null);
  const [saving, setSaving] = useState(false);
  const [showsFindings, setShowsFindings] = useStoredFlag("syla.files.findings", true);
  const version = search.get("version") ?? undefined;
  const published = useProgramFiles(asset.id, version);
  const listing = version === undefined ? working.files : published;
  const files = listing.data?.items ?? [];
  const mayEdit = version === undefined && asset.deletedAt === null && (asset.yourLevel === "edit" || asset.yourLevel === "admin");
  const entrypoint = asset.type === "program" ? syla.programs.config(asset).entrypoint : "";
  const wanted = search.get("file") ?? entrypoint;
  const file = files.find(({ path }) => path === wanted) ?? files[0];
  const looking = useLooking(asset.id, version, listing.data?.tree?.sha256 ?? null, showsFindings && asset.type === "program");
  const place = readPlace(search);
  const change = (changes: Readonly<Record<string, string | number | null | undefined>>) =>
    setSearch((before) => changedSearch(before, changes), { replace: true });
  const { open, close } = useOpenFiles(`syla.open.${asset.id}`, file?.path ?? null, (path) => files.some((one) => one.path === path));
  const analysis = looking.isStale ? null : (looking.found?.analysis ?? null);
  const shown = file?.path ?? "";
  const marks = useMemo(() => (analysis === null ? [] : codeMarks(marksOf(analysis, shown))), [analysis, shown]);
  const select = (path: string | null) => change({ file: path, line: null, column: null, cell: null });
  const [chosen, setChosen] = useState(0);
  const goTo = useGoTo(place, chosen);
  const choose = ({ file: path, line, column = null, cell = null }: Place) => {
    change({ file: path, line, column, cell });
    setChosen((before) => before + 1);
  };
  const attempt = async (work: () => Promise<void>) => {
    setError(null);
    await work().catch(setError);
  };
  const save = () => {
    setSaving(true);
    void attempt(async () => void (await working.save())).finally(() => setSaving(false));
  };
  useSaveKey(save, mayEdit);
  useUnsavedWarning(working.edits.size > 0);
  useEditorKeys({ onOpen: () => setDialog("open") });
  const upload = (picked: readonly PickedFile[]) =>
    attempt(async () => {
      if (picked.length === 0) return;
      const uploaded = await uploadFiles(picked);
      await working.apply(uploaded.map((one) => ({ op: "write" as const, file: { path: one.path, blob: one.sha256 } })));
      if (uploaded[0] !== undefined) select(uploaded[0].path);
    });
  const remove = (path: string) =>
    attempt(async () => {
      await working.apply([{ op: "delete", path }]);
      working.discard(path);
    });
  if (listing.isPending) return <SkeletonRows rows={6} />;
  if (listing.isError) return <ErrorPanel error={listing.error} onRetry={() => void listing.refetch()} />;
  return (
    <Flex direction="column" h="100%" minH="0" {...dropTarget(mayEdit, (picked) => void upload(picked))}>
      <FilesToolbar
        asset={asset}
        file={file}
        version={version}
        onVersion={(next) => change({ version: next, line: null, column: null, cell: null })}
        mayEdit={mayEdit}
        edits={working.edits}
        saving={saving}
        onNew={() => setDialog("new")}
        onUpload={(picked) => void upload(picked)}
        onRename={() => setDialog("rename")}
        onDelete={(path) => void remove(path)}
        onDiscard={working.discard}
        onSave={save}
        onSaveVersion={() => setDialog("version")}
        findings={asset.type === "program" ? { shown: showsFindings, onShow: setShowsFindings } : null}
      />
      {error ? <ErrorPanel error={error} /> : null}
      <Flex flex="1" minH="0" direction={{ base: "column", md: "row" }}>
        <Box
          w={{ base: "100%", md: "200px", xl: "240px" }}
          h={{ base: "25%", md: "auto" }}
          flexShrink="0"
          borderRightWidth={{ md: "1px" }}
          borderBottomWidth={{ base: "1px", md: "0" }}
          borderColor="border"
        >
          <FileTree files={files} selected={file?.path ?? null} edited={new Set(working.edits.keys())} onSelect={select} />
        </Box>
        <Flex direction="column" flex="1" minH="0" minW="0">
          <FileTabs
            open={open}
            current={file?.path ?? null}
            edited={new Set(working.edits.keys())}
            onSelect={select}
            onClose={(closed) => {
              const next = close(closed);
              if (closed === file?.path) select(next);
            }}
          />
          {mayEdit || file === undefined ? null : (
            <Text px="3" py="1" fontSize="xs" color="fg.muted" bg="bg.subtle" borderBottomWidth="1px" borderColor="border">
              {version === undefined
                ? "You may read this. To change it, clone the program, or ask its owner."
                : `Version ${version}, which never changes.`}
            </Text>
          )}
          <Box flex="1" minH="0">
            {file === undefined ? (
              <EmptyState icon={FileQuestion} title="There are no files">
                {mayEdit ? "Make one, or drop files or a folder here." : "Its owner has not put any here."}
              </EmptyState>
            ) : (
              <FileView
                key={`${version ?? ""} ${file.path}`}
                file={file}
                read={readerOf(asset.id, file.path, version)}
                edit={version === undefined ? working.edits.get(file.path)?.text : undefined}
                readOnly={!mayEdit}
                goTo={place?.file === file.path ? goTo : null}
                extensions={marks}
                onEdit={(text, loaded) => working.edit(file, text, loaded)}
              />
            )}
          </Box>
        </Flex>
        {showsFindings && asset.type === "program" ? (
          <Box
            as="aside"
            aria-label="Slots and calls"
            w={{ base: "100%", md: "280px", xl: "360px" }}
            h={{ base: "38%", md: "auto" }}
            flexShrink="0"
            minH="0"
            bg="bg.panel"
            borderLeftWidth={{ md: "1px" }}
            borderTopWidth={{ base: "1px", md: "0" }}
            borderColor="border"
          >
            <FindingsPanel
              looking={looking}
              fileCount={files.length}
              part={readPart(search)}
              onPart={(part) => change({ part })}
              place={place}
              onPlace={choose}
            />
          </Box>
        ) : null}
      </Flex>
      {dialog === "open" ? (
        <QuickOpen
          files={files}
          onOpen={(opened, line) => (line === null ? select(opened) : choose({ file: opened, line }))}
          onClose={() => setDialog("none")}
        />
      ) : null}
      {dialog === "new" ? (
        <PathDialog
          label="New file"
          action="Create"
          initial={folderOf(file)}
          onClose={() => setDialog("none")}
          onPath={async (path) => {
            if (files.some((other) => other.path === path)) throw new Error("There is a file of this name already.");
            await working.apply([{ op: "write", file: { path, content: "" } }]);
            select(path);
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
            select(path);
          }}
        />
      ) : null}
      {dialog === "version" ? <PublishDialog asset={asset} save={working.save} onClose={() => setDialog("none")} /> : null}
      {working.conflict === null ? null : (
        <ConflictDialog conflicts={working.conflict.conflicts} onSettle={working.settle} onClose={working.dismiss} />
      )}
    </Flex>
  );
}

function folderOf(file: TreeFile | undefined): string {
  return file?.path.includes("/") === true ? file.path.slice(0, file.path.lastIndexOf("/") + 1) : "";
}
