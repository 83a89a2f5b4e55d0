import { Box, Flex, Text } from "@chakra-ui/react";
import { type DragEvent, useState } from "react";
import { TextField } from "../ui/form-field.tsx";
import { DocumentReview } from "./document-review.tsx";
import { type ReadDocument, readDocument } from "./read-document.ts";

interface DocumentFieldProps {
  readonly read: ReadDocument | null;
  /** Null: there is none, or none that can be read. */
  readonly onRead: (read: ReadDocument | null) => void;
}

/** A file that was exported, dropped or chosen; what it holds is shown at once. */
export function DocumentField({ read, onRead }: DocumentFieldProps) {
  const [isOver, setOver] = useState(false);
  const [problem, setProblem] = useState<string | null>(null);
  const [dropped, setDropped] = useState<string | null>(null);
  const take = async (file: File | undefined, wasDropped: boolean) => {
    setProblem(null);
    setDropped(wasDropped && file !== undefined ? file.name : null);
    if (file === undefined) return onRead(null);
    const found = readDocument(await file.text());
    setProblem(typeof found === "string" ? found : null);
    onRead(typeof found === "string" ? null : found);
  };
  return (
    <Flex direction="column" gap="3">
      <Box
        p="3"
        rounded="md"
        borderWidth="1px"
        borderStyle="dashed"
        borderColor={isOver ? "accent.solid" : "border.emphasized"}
        bg={isOver ? "bg.muted" : undefined}
        onDragOver={(event: DragEvent) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event: DragEvent) => {
          event.preventDefault();
          setOver(false);
          void take(event.dataTransfer.files[0], true);
        }}
      >
        <TextField
          label="File"
          type="file"
          accept=".json,application/json"
          pt="1.5"
          problem={problem}
          // So that a file can be chosen again that was corrected meanwhile.
          onClick={(event) => {
            event.currentTarget.value = "";
            void take(undefined, false);
          }}
          onChange={(event) => void take(event.currentTarget.files?.[0], false)}
        />
        <Text mt="1.5" fontSize="xs" color="fg.muted">
          {dropped === null ? "Or drop it here." : `${dropped} was dropped.`}
        </Text>
      </Box>
      {read === null ? null : <DocumentReview read={read} />}
    </Flex>
  );
}
