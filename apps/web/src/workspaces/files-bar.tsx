import { Button, Flex, Text } from "@chakra-ui/react";
import type { WorkspaceVersion } from "@syla/sdk";
import {
  FilePlus2,
  FolderTree,
  FolderUp,
  NotebookPen,
  PanelBottom,
  Pencil,
  Play,
  Save,
  Search,
  Trash2,
  Undo2,
  Upload,
  WandSparkles,
} from "lucide-react";
import { PickButton } from "../editor/pick-button.tsx";
import type { PickedFile } from "../editor/upload-files.ts";
import { IconButton } from "../ui/icon-button.tsx";
import { SelectField } from "../ui/select-field.tsx";

interface FilesBarProps {
  readonly version: number | undefined;
  readonly versions: readonly WorkspaceVersion[];
  readonly onVersion: (version: string | null) => void;
  /** A version's number that the open file is compared with, `saved`, or empty. */
  readonly compared: string;
  readonly onCompare: (other: string) => void;
  readonly isEditable: boolean;
  /** What is written is saved by itself. */
  readonly isLive: boolean;
  readonly mayRun: boolean;
  readonly hasFile: boolean;
  readonly isEdited: boolean;
  readonly editCount: number;
  readonly isSaving: boolean;
  readonly uploading: { readonly done: number; readonly all: number } | null;
  readonly isSearching: boolean;
  readonly onSearch: () => void;
  readonly onTree: () => void;
  readonly onNew: () => void;
  readonly onNewNotebook: () => void;
  readonly onUpload: (picked: readonly PickedFile[]) => void;
  readonly onRename: () => void;
  readonly onDelete: () => void;
  readonly onDiscard: () => void;
  readonly onSave: () => void;
  readonly onRun: () => void;
  /** Null where nobody knows how the file is to be laid out. */
  readonly onFormat: (() => void) | null;
  readonly isDocked: boolean;
  readonly onDock: () => void;
}

/** What can be done with the files of a workspace. */
export function FilesBar(props: FilesBarProps) {
  const { version, versions, isEditable, hasFile, editCount, uploading, ...on } = props;
  return (
    <Flex align="center" gap="1" px={{ base: "2", md: "4" }} py="1.5" wrap="wrap" borderBottomWidth="1px" borderColor="border">
      <IconButton label="Files" display={{ base: "inline-flex", md: "none" }} onClick={on.onTree}>
        <FolderTree />
      </IconButton>
      {isEditable ? (
        <>
          <IconButton label="New file" onClick={on.onNew}>
            <FilePlus2 />
          </IconButton>
          <IconButton label="New notebook" onClick={on.onNewNotebook}>
            <NotebookPen />
          </IconButton>
          <PickButton label="Upload files" onPicked={on.onUpload}>
            <Upload />
          </PickButton>
          <PickButton label="Upload a folder" isFolder onPicked={on.onUpload}>
            <FolderUp />
          </PickButton>
          <IconButton label="Rename or move" disabled={!hasFile} onClick={on.onRename}>
            <Pencil />
          </IconButton>
          <IconButton label="Delete" disabled={!hasFile} onClick={on.onDelete}>
            <Trash2 />
          </IconButton>
        </>
      ) : null}
      <IconButton label="Search in files" aria-pressed={on.isSearching} onClick={on.onSearch}>
        <Search />
      </IconButton>
      {isEditable ? (
        <IconButton label="Format (Shift+Alt+F)" disabled={on.onFormat === null} onClick={() => on.onFormat?.()}>
          <WandSparkles />
        </IconButton>
      ) : null}
      <IconButton label="Panel" aria-pressed={on.isDocked} onClick={on.onDock}>
        <PanelBottom />
      </IconButton>
      <SelectField
        label="Version"
        size="xs"
        value={version === undefined ? "head" : String(version)}
        onChoose={(value) => on.onVersion(value === "head" ? null : value)}
      >
        <option value="head">Now</option>
        <Versions items={versions} />
      </SelectField>
      {hasFile ? (
        <SelectField label="Compare with" size="xs" value={on.compared} onChoose={on.onCompare}>
          <option value="">Not compared</option>
          <option value="saved">With what is saved</option>
          <Versions items={versions} prefix="With version" />
        </SelectField>
      ) : null}
      <Flex gap="2" ml="auto" wrap="wrap" align="center">
        <Text fontSize="xs" color="fg.muted" role="status">
          {uploading === null ? "" : `${uploading.done} of ${uploading.all} files uploaded …`}
        </Text>
        {isEditable && on.isEdited ? (
          <Button size="xs" variant="ghost" onClick={on.onDiscard}>
            <Undo2 aria-hidden /> Discard
          </Button>
        ) : null}
        {isEditable && (editCount > 0 || !props.isLive) ? (
          <Button size="xs" variant="outline" disabled={editCount === 0} loading={on.isSaving} onClick={on.onSave}>
            <Save aria-hidden /> Save{editCount > 1 ? ` ${editCount} files` : ""}
          </Button>
        ) : null}
        {on.mayRun ? (
          <Button size="xs" colorPalette="accent" onClick={on.onRun}>
            <Play aria-hidden /> Run
          </Button>
        ) : null}
      </Flex>
    </Flex>
  );
}

function Versions({ items, prefix = "Version" }: { readonly items: readonly WorkspaceVersion[]; readonly prefix?: string }) {
  return items.map(({ number, message }) => (
    <option key={number} value={number}>
      {`${prefix} ${number}${message === "" ? "" : `: ${message.slice(0, 40)}`}`}
    </option>
  ));
}
