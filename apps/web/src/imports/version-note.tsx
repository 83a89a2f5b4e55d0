import { Box, Code, Flex, Text } from "@chakra-ui/react";
import type { ImportSuggestion } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";

interface VersionNoteProps {
  readonly wishes: ImportSuggestion["versionWishes"];
  /** What the person has chosen; null for the default version. */
  readonly chosen: string | null;
}

/** Which version of the language the files ask for, and what to do when this server has none like it. */
export function VersionNote({ wishes, chosen }: VersionNoteProps) {
  const [first] = wishes;
  if (first === undefined) return null;
  const asked = wishes.map(({ constraint, file, line }) => `${constraint} (${file}${line === null ? "" : `, line ${line}`})`).join(" and ");
  if (first.found !== null)
    return (
      <Text fontSize="xs" color="fg.muted">
        The files ask for Python {asked}; {first.found} {chosen === null || first.found.startsWith(chosen) ? "runs it" : "would fit"}.
      </Text>
    );
  return (
    <Flex gap="2" p="3" rounded="md" borderWidth="1px" borderColor="border.warning" role="status">
      <Box color="fg.warning" flexShrink="0" mt="0.5" aria-hidden>
        <TriangleAlert size={16} />
      </Box>
      <Text fontSize="xs">
        The files ask for Python {asked}, which this server does not have: it has {first.installed.join(", ") || "none"}. An administrator
        gets it with <Code fontSize="xs">{first.install}</Code>. Until then it runs with {chosen ?? "the default version"}.
      </Text>
    </Flex>
  );
}
