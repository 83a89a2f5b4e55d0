import { Box, Button, Text } from "@chakra-ui/react";
import { shownOutput, type ShownOutput } from "@syla/contracts/notebook-outputs";
import type { NotebookCell } from "@syla/contracts/notebook";
import { memo, useState } from "react";
import { RichResult } from "../sandboxes/detail/rich-result.tsx";
import { AnsiText } from "../ui/log/ansi-text.tsx";

/** Of text that is longer, this much of its end is drawn, until somebody wants all of it. */
const shownCharacters = 20_000;
/** So many outputs of a cell are drawn. */
const mostOutputs = 100;

/** What a cell has printed and shown. Nothing of it runs in the page. */
export const CellOutputs = memo(function CellOutputs({ outputs }: { readonly outputs: NotebookCell["outputs"] }) {
  const shown = outputs.slice(0, mostOutputs).map(shownOutput);
  const hidden = outputs.length - mostOutputs;
  return (
    <Box display="flex" flexDirection="column" gap="1" py="1" minW="0">
      {shown.map((output, index) => (output === null ? null : <Output key={index} output={output} />))}
      {hidden > 0 ? (
        <Text fontSize="xs" color="fg.subtle">
          {hidden} more outputs are in the file and not shown.
        </Text>
      ) : null}
    </Box>
  );
});

function Output({ output }: { readonly output: ShownOutput }) {
  switch (output.type) {
    case "rich":
      return <RichResult data={output.data} omitted={output.omitted} />;
    case "error":
      return <Lines text={output.text} color="fg.error" bg="bg.error" />;
    case "text":
      return output.stream === "stderr" ? <Lines text={output.text} color="fg" bg="bg.warning" /> : <Lines text={output.text} color="fg" />;
  }
}

interface LinesProps {
  readonly text: string;
  readonly color: string;
  readonly bg?: string;
}

function Lines({ text, color, bg }: LinesProps) {
  const [all, setAll] = useState(false);
  const isLong = text.length > shownCharacters;
  const shown = isLong && !all ? text.slice(text.indexOf("\n", text.length - shownCharacters) + 1 || -shownCharacters) : text;
  return (
    <Box {...(bg === undefined ? {} : { bg, px: "2", py: "1", rounded: "sm" })} minW="0">
      {isLong && !all ? (
        <Button size="2xs" variant="outline" mb="1" onClick={() => setAll(true)}>
          Show what comes before
        </Button>
      ) : null}
      <Text
        as="pre"
        fontFamily="mono"
        fontSize="xs"
        lineHeight="1.5"
        color={color}
        whiteSpace="pre-wrap"
        overflowWrap="anywhere"
        maxH="480px"
        overflowY="auto"
      >
        <AnsiText text={shown} />
      </Text>
    </Box>
  );
}
