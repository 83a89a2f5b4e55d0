import { Button, Flex, Text } from "@chakra-ui/react";
import type { Asset, TreeFile } from "@syla/sdk";
import { FilePen, FilePlus2, PackageCheck, PanelRightClose, PanelRightOpen, Save, Trash2, Undo2, Upload } from "lucide-react";
import { PickButton } from "../../editor/pick-button.tsx";
import type { PickedFile } from "../../editor/upload-files.ts";
import { formatPlural } from "../../ui/format.ts";
import { IconButton } from "../../ui/icon-button.tsx";
import { VersionSelect } from "../versions/version-select.tsx";

interface FilesToolbarProps {
  readonly asset: Asset;
  readonly file: TreeFile | undefined;
  readonly version: string | undefined;
  readonly onVersion: (version: string | null) => void;
  readonly mayEdit: boolean;
  readonly edits: ReadonlyMap<string, unknown>;
  readonly saving: boolean;
  readonly onNew: () => void;
  readonly onUpload: (picked: readonly PickedFile[]) => void;
  readonly onRename: () => void;
  readonly onDelete: (path: string) => void;
  readonly onDiscard: (path: string) => void;
  readonly onSave: () => void;
  readonly onSaveVersion: () => void;
  /** Null: there are none to be shown beside the code. */
  readonly findings: { readonly shown: boolean; readonly onShow: (shown: boolean) => void } | null;
}

/** What can be done with the files, whose they are, and what stands beside them. */
export function FilesToolbar({ asset, file, version, onVersion, mayEdit, edits, saving, findings, ...on }: FilesToolbarProps) {
  return (
    <Flex align="center" gap="1" px={{ base: "4", md: "6" }} py="1.5" wrap="wrap" borderBottomWidth="1px" borderColor="border">
      {mayEdit ? (
        <>
          <IconButton label="New file" onClick={on.onNew}>
            <FilePlus2 />
          </IconButton>
          <PickButton label="Upload files" onPicked={on.onUpload}>
            <Upload />
          </PickButton>
          <IconButton label="Rename or move the file" disabled={file === undefined} onClick={on.onRename}>
            <FilePen />
          </IconButton>
          <IconButton label="Delete the file" disabled={file === undefined} onClick={() => file && on.onDelete(file.path)}>
            <Trash2 />
          </IconButton>
          {file !== undefined && edits.has(file.path) ? (
            <IconButton label="Undo what is not saved in this file" onClick={() => on.onDiscard(file.path)}>
              <Undo2 />
            </IconButton>
          ) : null}
        </>
      ) : null}
      <VersionSelect asset={asset} value={version} onChoose={onVersion} />
      <Text fontSize="xs" color="fg.muted" ml="2" truncate>
        {file?.path}
      </Text>
      <Flex ml="auto" align="center" gap="2">
        <Text fontSize="xs" color="fg.muted" role="status">
          {edits.size === 0 ? "" : `${formatPlural(edits.size, "file")} not saved`}
        </Text>
        {mayEdit ? (
          <Button size="xs" colorPalette="accent" disabled={edits.size === 0} loading={saving} onClick={on.onSave}>
            <Save aria-hidden /> Save
          </Button>
        ) : null}
        {mayEdit ? (
          <Button size="xs" variant="outline" disabled={saving} onClick={on.onSaveVersion}>
            <PackageCheck aria-hidden /> Save as version …
          </Button>
        ) : null}
        {findings === null ? null : (
          <IconButton
            label={findings.shown ? "Hide slots and calls" : "Show slots and calls"}
            aria-pressed={findings.shown}
            onClick={() => findings.onShow(!findings.shown)}
          >
            {findings.shown ? <PanelRightClose /> : <PanelRightOpen />}
          </IconButton>
        )}
      </Flex>
    </Flex>
  );
}
