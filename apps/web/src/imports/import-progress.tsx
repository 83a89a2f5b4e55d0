import { Box, Button, Flex, Spinner, Text } from "@chakra-ui/react";
import type { Import } from "@syla/sdk";
import { Check, Circle } from "lucide-react";
import { formatBytes, formatPlural } from "../ui/format.ts";
import { useCancelImport } from "./queries.ts";

const steps = [
  { phase: "fetch", label: "Fetch the files" },
  { phase: "limits", label: "Check paths and limits" },
  { phase: "analyse", label: "Read what they are" },
] as const;

/** How far an import is, step by step. It goes on when the page is closed. */
export function ImportProgress({ found, reconnecting }: { readonly found: Import; readonly reconnecting: boolean }) {
  const cancel = useCancelImport(found.id);
  const { files, bytes } = found.progress;
  const at = found.state === "creating" ? steps.length : steps.findIndex(({ phase }) => phase === (found.phase ?? "fetch"));
  return (
    <Box py="6" maxW="480px">
      <Box as="ol" listStyleType="none">
        {steps.map(({ phase, label }, index) => (
          <Flex
            as="li"
            key={phase}
            align="center"
            gap="2.5"
            py="1.5"
            color={index > at ? "fg.subtle" : "fg"}
            aria-current={index === at ? "step" : undefined}
          >
            <Flex w="4" h="4" align="center" justify="center" aria-hidden color={index < at ? "fg.success" : "fg.subtle"}>
              {index < at ? <Check size={16} /> : index === at ? <Spinner size="xs" /> : <Circle size={10} />}
            </Flex>
            <Text fontWeight={index === at ? "medium" : "normal"}>{label}</Text>
            {index === at && files > 0 ? (
              <Text color="fg.muted" fontSize="xs">
                {formatPlural(files, "file")}, {formatBytes(bytes)}
              </Text>
            ) : null}
          </Flex>
        ))}
      </Box>
      <Text role="status" mt="2" fontSize="xs" color="fg.muted">
        {reconnecting ? "The connection was lost; it is made again." : found.state === "creating" ? "The program is being made." : ""}
      </Text>
      {found.state === "creating" ? null : (
        <Button mt="3" size="xs" variant="outline" loading={cancel.isPending} onClick={() => cancel.mutate()}>
          Cancel
        </Button>
      )}
    </Box>
  );
}
