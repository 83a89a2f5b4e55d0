import { Box, Button, Flex } from "@chakra-ui/react";
import type { ImportSource } from "@syla/contracts/assets";
import type { Syla } from "@syla/sdk";
import { useState } from "react";
import { useNavigate } from "react-router";
import { useAsset } from "../catalog/queries.ts";
import { useRuntimes } from "../runs/queries.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextAreaField, TextField } from "../ui/form-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { TabLinks } from "../ui/tab-links.tsx";
import { GitSource } from "./git-source.tsx";
import { useCreateImport } from "./queries.ts";
import { TemplateSource } from "./template-source.tsx";
import { UploadSource } from "./upload-source.tsx";

type Source = Parameters<Syla["imports"]["create"]>[0]["source"];

/** What each kind of source hands over. */
export interface SourceProps {
  readonly onSource: (source: Source) => void;
  readonly isPending: boolean;
}

const kinds = [
  { value: "upload", label: "Upload" },
  { value: "git", label: "Git" },
  { value: "template", label: "Template" },
  { value: "paste", label: "Paste" },
] as const;

/** Where the files of a program come from that are to be replaced: from where they came before, unless something else is chosen. */
export function AgainStep({ kind, into }: { readonly kind: string | null; readonly into: string }) {
  const asset = useAsset(into);
  if (asset.isPending) return <SkeletonRows rows={4} />;
  if (asset.isError) return <ErrorPanel error={asset.error} onRetry={() => void asset.refetch()} />;
  const source = asset.data.importSource;
  const before = source?.kind === "git" ? source : null;
  return <SourceStep kind={kind ?? (before === null ? "upload" : "git")} into={into} before={before} />;
}

interface SourceStepProps {
  readonly kind: string;
  /** A program whose files are to be replaced. */
  readonly into: string | null;
  /** The repository that it came from. */
  readonly before: ImportSource | null;
}

/** Where the program comes from. */
export function SourceStep({ kind, into, before }: SourceStepProps) {
  const create = useCreateImport();
  const navigate = useNavigate();
  const onSource = (source: Source) =>
    create.mutate(
      { source, ...(into === null ? {} : { assetId: into }) },
      { onSuccess: (made) => void navigate(`/programs/new?import=${made.id}`) },
    );
  const props = { onSource, isPending: create.isPending };
  const suffix = into === null ? "" : `&into=${into}`;
  return (
    <>
      <TabLinks
        label="Sources"
        tabs={kinds.map(({ value, label }) => ({ to: `?source=${value}${suffix}`, label, current: kind === value }))}
      />
      <Box py="4">
        {create.error ? (
          <Box mb="3">
            <ErrorPanel error={create.error} />
          </Box>
        ) : null}
        {kind === "git" ? <GitSource {...props} before={before} /> : null}
        {kind === "template" ? <TemplateSource {...props} /> : null}
        {kind === "paste" ? <PasteSource {...props} /> : null}
        {kind === "upload" ? <UploadSource {...props} /> : null}
      </Box>
    </>
  );
}

function PasteSource({ onSource, isPending }: SourceProps) {
  const runtimes = useRuntimes();
  const [path, setPath] = useState("main.py");
  const [content, setContent] = useState("");
  const known = runtimes.data?.map((runtime) => runtime.defaultEntrypoint).join(", ");
  return (
    <Flex direction="column" gap="3" maxW="640px">
      <TextField
        label="File name"
        help={`The language is told by it: ${known ?? "main.py"}`}
        value={path}
        onChange={(event) => setPath(event.currentTarget.value)}
      />
      <TextAreaField label="Code" rows={16} value={content} onChange={(event) => setContent(event.currentTarget.value)} />
      <Button
        alignSelf="flex-start"
        size="sm"
        colorPalette="accent"
        loading={isPending}
        disabled={content.trim() === "" || path === ""}
        onClick={() => onSource({ kind: "files", files: [{ path, content }] })}
      >
        Continue
      </Button>
    </Flex>
  );
}
