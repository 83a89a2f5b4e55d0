import { Text } from "@chakra-ui/react";

interface NextTimesProps {
  readonly times: readonly string[];
  readonly timeZone: string;
}

/** The next times, by the clock of the schedule. */
export function NextTimes({ times, timeZone }: NextTimesProps) {
  return (
    <Text fontSize="xs" color="fg.muted">
      Next: {times.map((time) => formatIn(time, timeZone)).join(" · ")}
    </Text>
  );
}

function formatIn(time: string, timeZone: string): string {
  try {
    return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short", timeZone }).format(new Date(time));
  } catch {
    return time; // a zone that is being typed
  }
}
