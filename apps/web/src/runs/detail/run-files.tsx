import { Box, Button, Text } from "@chakra-ui/react";
import type { Run } from "@syla/sdk";
import { ChevronDown, ChevronRight } from "lucide-react";
import { useSearchParams } from "react-router";
import { CodeView } from "../../ui/code-view.tsx";
import { ErrorPanel } from "../../ui/error-panel.tsx";
import { formatBytes, formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { SkeletonRows } from "../../ui/skeleton-rows.tsx";
import { useRunFile, useRunFiles } from "../queries.ts";

const maxShownBytes = 512 * 1024;
/** A tree may have thousands. */
const mostShown = 300;

/** The files the run was given. The open one is part of the address, so an error can point at a line. */
export function RunFiles({ run }: { readonly run: Run }) {
  const [search, setSearch] = useSearchParams();
  const open = search.get("file") ?? run.entrypoint;
  const line = Number(search.get("line")) || null;
  const all = useRunFiles(run.id);
  if (all.isError) return <ErrorPanel error={all.error} onRetry={() => void all.refetch()} />;
  const files = all.data ?? run.files;
  const shown = files.slice(0, mostShown);
  const pointed = files.find(({ path }) => path === open);
  if (pointed !== undefined && !shown.includes(pointed)) shown.unshift(pointed);
  return (
    <Section heading="Files" note={formatPlural(files.length, "file")}>
      {shown.map((file) => {
        const isOpen = open === file.path || open.endsWith(`/${file.path}`);
        const Chevron = isOpen ? ChevronDown : ChevronRight;
        return (
          <Box key={file.path} borderBottomWidth="1px" borderColor="border.muted" _last={{ borderBottomWidth: "0" }}>
            <Button
              variant="plain"
              size="xs"
              w="full"
              h="9"
              px="3"
              justifyContent="flex-start"
              fontWeight="normal"
              fontSize="sm"
              aria-expanded={isOpen}
              outlineOffset="-2px"
              onClick={() => setSearch({ tab: "configuration", file: isOpen ? "-" : file.path }, { replace: true })}
            >
              <Chevron aria-hidden />
              <Text as="span" fontFamily="mono" fontSize="xs" truncate>
                {file.path}
              </Text>
              <Text as="span" ml="auto" fontSize="xs" color="fg.muted">
                {formatBytes(file.size)}
              </Text>
            </Button>
            {isOpen ? <FileContent run={run} path={file.path} size={file.size} line={line} /> : null}
          </Box>
        );
      })}
      {files.length > shown.length ? (
        <Text p="3" fontSize="xs" color="fg.muted">
          and {files.length - shown.length} more
        </Text>
      ) : null}
    </Section>
  );
}

interface FileContentProps {
  readonly run: Run;
  readonly path: string;
  readonly size: number;
  readonly line: number | null;
}

function FileContent({ run, path, size, line }: FileContentProps) {
  const tooLarge = size > maxShownBytes;
  const content = useRunFile(run.id, path, !tooLarge);
  if (tooLarge) return <Text p="3">Too large to show here.</Text>;
  if (content.isError) return <ErrorPanel error={content.error} onRetry={() => void content.refetch()} />;
  return content.data === undefined ? <SkeletonRows rows={3} /> : <CodeView text={content.data} label={path} line={line} />;
}
