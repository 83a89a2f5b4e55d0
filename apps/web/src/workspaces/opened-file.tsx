import { type ComponentProps, lazy, Suspense } from "react";
import type { Workspace } from "@syla/sdk";
import { FileView } from "../editor/file-view.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { isNotebook } from "./notebook-files.ts";

const NotebookPane = lazy(async () => ({ default: (await import("../notebook/notebook-pane.tsx")).NotebookPane }));

interface OpenedFileProps extends ComponentProps<typeof FileView> {
  readonly workspace: Workspace;
  readonly mayRun: boolean;
  readonly onSave: () => void;
}

/** A file of a workspace as it is worked on: a notebook as one, anything else as what it is. */
export function OpenedFile({ workspace, mayRun, onSave, ...view }: OpenedFileProps) {
  const text = <FileView {...view} />;
  if (!isNotebook(view.file.path)) return text;
  const { file, read, edit, readOnly, onEdit } = view;
  return (
    <Suspense fallback={<SkeletonRows rows={4} />}>
      <NotebookPane {...{ workspace, file, read, edit, readOnly, mayRun, onEdit, onSave }} asText={text} />
    </Suspense>
  );
}
