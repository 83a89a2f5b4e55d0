import { Box, Button, Code, Flex, Text } from "@chakra-ui/react";
import type { Import, ImportSuggestion } from "@syla/sdk";
import { TriangleAlert } from "lucide-react";

interface EntrypointNoteProps {
  readonly found: Import;
  readonly suggestion: ImportSuggestion;
  readonly entrypoint: string;
  readonly leaveOut: ReadonlySet<string>;
  readonly onTake: (path: string) => void;
}

/** That the file which the program begins with, or likely begins with, is left out. */
export function EntrypointNote({ found, suggestion, entrypoint, leaveOut, onTake }: EntrypointNoteProps) {
  const likeliest = entrypoint === suggestion.entrypoint ? suggestion.entrypoints[0]?.path : undefined;
  const path = [entrypoint, likeliest].find((one) => one !== undefined && leaveOut.has(one));
  if (path === undefined) return null;
  const secret = found.secrets.find((one) => one.path === path);
  const line = secret?.line == null ? "" : ` (line ${secret.line})`;
  return (
    <Flex gap="2" p="3" rounded="md" borderWidth="1px" borderColor="border.warning" role="status" align="flex-start">
      <Box color="fg.warning" flexShrink="0" mt="0.5" aria-hidden>
        <TriangleAlert size={16} />
      </Box>
      <Text fontSize="xs" flex="1">
        <Code fontSize="xs">{path}</Code> is left out{secret === undefined ? "" : ` because it looks secret${line}`}
        {path === entrypoint ? ", so nothing could be run." : `, though the program likely begins there.`}
      </Text>
      <Button size="xs" variant="outline" onClick={() => onTake(path)}>
        Take it
      </Button>
    </Flex>
  );
}
