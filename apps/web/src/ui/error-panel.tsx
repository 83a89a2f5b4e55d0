import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { CircleAlert, RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { Copyable } from "./copyable.tsx";
import { describeError } from "./describe-error.ts";

interface ErrorPanelProps {
  readonly error: unknown;
  readonly onRetry?: () => void;
  readonly children?: ReactNode;
}

/** An error with what happened, what to do, its code, the request id, and a retry. */
export function ErrorPanel({ error, onRetry, children }: ErrorPanelProps) {
  const problem = describeError(error);
  return (
    <Flex
      role="alert"
      gap="3"
      p="3"
      borderWidth="1px"
      borderColor="border"
      rounded="md"
      bg="bg.panel"
      align="flex-start"
      boxShadow="inset 3px 0 0 var(--chakra-colors-border-error)"
    >
      <Box aria-hidden color="fg.error" mt="0.5">
        <CircleAlert size={16} />
      </Box>
      <Box flex="1" minW="0">
        <Text fontWeight="medium">{problem.message}</Text>
        {problem.hint ? <Text color="fg.muted">{problem.hint}</Text> : null}
        {problem.fields.map((field) => (
          <Text key={field.path} fontSize="xs" color="fg.muted">
            <Text as="span" fontFamily="mono">
              {field.path || "request"}
            </Text>
            : {field.message}
          </Text>
        ))}
        <Flex mt="1" columnGap="3" wrap="wrap" align="center" fontSize="xs" color="fg.subtle">
          <Text as="span" fontFamily="mono">
            {problem.code}
          </Text>
          {problem.requestId ? <Copyable text={problem.requestId} label="request id" /> : null}
        </Flex>
        {children}
      </Box>
      {onRetry ? (
        <Button size="xs" variant="outline" onClick={onRetry}>
          <RotateCw aria-hidden /> Retry
        </Button>
      ) : null}
    </Flex>
  );
}
