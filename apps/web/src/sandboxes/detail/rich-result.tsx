import { Box, Image, Text } from "@chakra-ui/react";
import { parseTable, TableResult, tableType } from "./table-result.tsx";

/** What a document without a look of its own is shown with. */
const plainLook = "<style>body{font:13px system-ui,sans-serif}</style>";
const imageTypes = ["image/png", "image/jpeg", "image/gif", "image/webp"];

interface RichResultProps {
  readonly data: Readonly<Record<string, unknown>>;
  readonly omitted: readonly string[];
}

/** A value in the richest form that can be shown safely: an image by `<img>`, HTML in a frame that is nobody's and runs nothing. */
export function RichResult({ data, omitted }: RichResultProps) {
  return (
    <Box py="1">
      <Form data={data} />
      {omitted.length > 0 ? (
        <Text fontSize="xs" color="fg.subtle">
          Too large to show: {omitted.join(", ")}
        </Text>
      ) : null}
    </Box>
  );
}

function Form({ data }: { readonly data: Readonly<Record<string, unknown>> }) {
  const text = typeof data["text/plain"] === "string" ? data["text/plain"] : "";
  const image = imageTypes.find((type) => typeof data[type] === "string");
  if (image !== undefined)
    return <Image src={`data:${image};base64,${String(data[image])}`} alt={text.slice(0, 200) || "A picture"} maxW="100%" bg="white" />;
  const svg = data["image/svg+xml"];
  if (typeof svg === "string")
    return (
      <Image
        src={`data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`}
        alt={text.slice(0, 200) || "A drawing"}
        maxW="100%"
        bg="white"
      />
    );
  const table = parseTable(data[tableType]);
  if (table !== null) return <TableResult table={table} />;
  const html = data["text/html"];
  if (typeof html === "string")
    return (
      <Box asChild w="100%" h="40" minH="10" resize="vertical" bg="white" rounded="sm" borderWidth="1px" borderColor="border">
        <iframe title="HTML result" sandbox="" srcDoc={plainLook + html} referrerPolicy="no-referrer" />
      </Box>
    );
  const json = data["application/json"];
  const shown = json !== undefined && isLong(text) ? JSON.stringify(json, null, 2) : text;
  return (
    <Text as="pre" fontFamily="mono" fontSize="xs" whiteSpace="pre-wrap" overflowWrap="anywhere" maxH="96" overflowY="auto">
      {shown}
    </Text>
  );
}

/** Of a document: what does not fit on a line is easier to read laid out. */
function isLong(text: string): boolean {
  return text.length > 80 || text.includes("\n") || text === "";
}
