import { Text } from "@chakra-ui/react";
import { useNow } from "./clock.ts";
import { formatAgo, formatExact } from "./format.ts";

interface TimeAgoProps {
  readonly time: string;
}

/** A relative time; the exact one on hover. */
export function TimeAgo({ time }: TimeAgoProps) {
  const now = useNow();
  return (
    <Text as="time" {...{ dateTime: time }} title={formatExact(time)} whiteSpace="nowrap">
      {formatAgo(time, now)}
    </Text>
  );
}
