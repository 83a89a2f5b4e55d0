import { Box, chakra, Flex, Text } from "@chakra-ui/react";
import type { AssetDiff, FileDiff } from "@syla/sdk";
import { lazy, Suspense, useState } from "react";
import { SchemaDiff } from "../../datasets/schema-diff.tsx";
import { DefinitionList } from "../../ui/definition-list.tsx";
import { EmptyState } from "../../ui/empty-state.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useDiff, useFileContent } from "../queries.ts";
import { Equal } from "lucide-react";

const MergeView = lazy(async () => ({ default: (await import("../../editor/merge-view.tsx")).MergeView }));

interface DiffViewProps {
  readonly id: string;
  readonly from: string;
  readonly to: string;
}

/** What differs between two versions: settings, then file by file. */
export function DiffView({ id, from, to }: DiffViewProps) {
  const diff = useDiff(id, from, to);
  if (diff.isPending) return <SkeletonRows rows={3} />;
  if (diff.isError) return <ErrorPanel error={diff.error} onRetry={() => void diff.refetch()} />;
  const { files, config, metadata, omitted } = diff.data;
  if (files.length === 0 && config.length === 0 && metadata.length === 0)
    return (
      <EmptyState icon={Equal} title="Nothing differs">
        Name, description, files and settings are the same.
      </EmptyState>
    );
  return (
    <>
      <FieldDifferences heading="What it is called" fields={metadata} />
      {id.startsWith("data_") && config.length > 0 ? (
        <SchemaDiff fields={config} />
      ) : (
        <FieldDifferences heading="Settings" fields={config} />
      )}
      <Text fontSize="xs" color="fg.muted" mb="2" role="status" hidden={id.startsWith("model_")}>
        {formatPlural(files.length + omitted, "file")} {files.length + omitted === 1 ? "differs" : "differ"}
        {omitted > 0 ? `; the first ${files.length} are shown` : ""}
      </Text>
      {files.map((file) => (
        <FileDifference key={`${from} ${to} ${file.path}`} id={id} file={file} from={from} to={to} />
      ))}
    </>
  );
}

function FieldDifferences({ heading, fields }: { readonly heading: string; readonly fields: AssetDiff["config"] }) {
  if (fields.length === 0) return null;
  return (
    <Section heading={heading}>
      <DefinitionList
        items={fields.map(({ field, from, to }) => [
          field,
          <chakra.code key={field} fontSize="xs" overflowWrap="anywhere">
            {JSON.stringify(from)} → {JSON.stringify(to)}
          </chakra.code>,
        ])}
      />
    </Section>
  );
}

const statusWords = { added: "added", removed: "removed", changed: "changed" } as const;
const noteWords = { binary: "not text", large: "too large to compare", omitted: "not compared" } as const;

function FileDifference({ id, file, from, to }: DiffViewProps & { readonly file: FileDiff }) {
  const [open, setOpen] = useState(file.note === null && file.additions + file.deletions <= 400);
  return (
    <Box mb="3" borderWidth="1px" borderColor="border" rounded="md" overflow="hidden" bg="bg.panel">
      <chakra.button
        type="button"
        aria-expanded={open}
        disabled={file.note !== null}
        onClick={() => setOpen(!open)}
        display="flex"
        w="full"
        alignItems="center"
        gap="3"
        px="3"
        py="2"
        bg="bg.subtle"
        textAlign="left"
        cursor={file.note === null ? "pointer" : "default"}
        outlineOffset="-2px"
      >
        <chakra.span fontFamily="mono" fontSize="xs" overflowWrap="anywhere" minW="0">
          {file.path}
        </chakra.span>
        <Flex as="span" ml="auto" gap="2" fontSize="xs" flexShrink="0" color="fg.muted">
          <span>{statusWords[file.status]}</span>
          {file.from !== null && file.to !== null && file.from.executable !== file.to.executable ? (
            <span>{file.to.executable ? "can be started now" : "can no longer be started"}</span>
          ) : null}
          {file.note === null ? (
            <>
              <chakra.span color="fg.success">+{file.additions}</chakra.span>
              <chakra.span color="fg.error">−{file.deletions}</chakra.span>
            </>
          ) : (
            <span>{noteWords[file.note]}</span>
          )}
        </Flex>
      </chakra.button>
      {open ? <Texts id={id} file={file} from={from} to={to} /> : null}
    </Box>
  );
}

function Texts({ id, file, from, to }: DiffViewProps & { readonly file: FileDiff }) {
  const side = (end: FileDiff["from"]) => (end === null ? undefined : { path: file.path, sha256: end.sha256 });
  const versionOf = (end: string) => (end === "head" ? undefined : end);
  const before = useFileContent(id, side(file.from), versionOf(from));
  const after = useFileContent(id, side(file.to), versionOf(to));
  const error = before.error ?? after.error;
  if (error) return <ErrorPanel error={error} />;
  const [old, current] = [file.from === null ? "" : before.data?.text, file.to === null ? "" : after.data?.text];
  if (typeof old !== "string" || typeof current !== "string") return <SkeletonRows rows={2} />;
  return (
    <Suspense fallback={<SkeletonRows rows={2} />}>
      <MergeView path={file.path} before={old} after={current} />
    </Suspense>
  );
}
