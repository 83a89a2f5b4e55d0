import { Box, Code, Text } from "@chakra-ui/react";

const listItem = /^- /;
/** Code, or a link of which the words are shown. */
const inline = /`([^`]+)`|\[([^\]]+)\]\([^)]*\)|\*([^*]+)\*/g;

/** The README of a template of ours: a heading, paragraphs and lists, and nothing else of Markdown. */
export function ReadmeText({ text }: { readonly text: string }) {
  const blocks = text
    .split(/\n{2,}/)
    .map((block) => block.trim())
    .filter((block) => block !== "" && !block.startsWith("# "));
  return (
    <Box display="flex" flexDirection="column" gap="2.5" fontSize="sm">
      {blocks.map((block) =>
        listItem.test(block) ? (
          <Box as="ul" key={block} listStyleType="disc" pl="5" display="flex" flexDirection="column" gap="1">
            {block.split(/\n(?=- )/).map((item) => (
              <li key={item}>{inlineOf(item.replace(listItem, ""))}</li>
            ))}
          </Box>
        ) : (
          <Text key={block}>{inlineOf(block)}</Text>
        ),
      )}
    </Box>
  );
}

function inlineOf(text: string): React.ReactNode[] {
  const flowing = text.replaceAll(/\s*\n\s*/g, " ");
  const parts: React.ReactNode[] = [];
  let end = 0;
  for (const match of flowing.matchAll(inline)) {
    const [whole, code, link, stressed] = match;
    parts.push(flowing.slice(end, match.index));
    if (code === undefined) parts.push(<strong key={match.index}>{link ?? stressed}</strong>);
    else
      parts.push(
        <Code key={match.index} size="sm" overflowWrap="anywhere">
          {code}
        </Code>,
      );
    end = match.index + whole.length;
  }
  return [...parts, flowing.slice(end)];
}
