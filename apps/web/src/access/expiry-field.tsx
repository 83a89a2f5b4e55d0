import { Box, Flex, Input, Text } from "@chakra-ui/react";
import { SelectField } from "../ui/select-field.tsx";

/** When access ends, as it is chosen: never, so many hours from now, or at a time by the clock of the browser. */
export interface Ending {
  readonly way: "never" | "hours" | "at";
  readonly hours: number;
  /** As `datetime-local` has it: `2026-12-03T10:00`. */
  readonly at: string;
}

const hourMs = 3_600_000;
const spans = [
  { hours: 1, words: "for an hour" },
  { hours: 24, words: "for a day" },
  { hours: 168, words: "for a week" },
  { hours: 720, words: "for 30 days" },
] as const;

/** The zone in which times are shown and meant. */
const zone = new Intl.DateTimeFormat().resolvedOptions().timeZone;

/** Nothing ends; who asks for a time of their own begins with one in a week. */
export function noEnding(): Ending {
  return { way: "never", hours: 24, at: toLocal(new Date(Date.now() + 168 * hourMs)) };
}

/** The same with what is there: a time is one to change. */
export function endingOf(expiresAt: string | null): Ending {
  return expiresAt === null ? noEnding() : { way: "at", hours: 24, at: toLocal(new Date(expiresAt)) };
}

/** As it is sent. An empty time is one that the form refuses. */
export function toExpiry({ way, hours, at }: Ending): string | null {
  if (way === "never" || (way === "at" && at === "")) return null;
  return (way === "hours" ? new Date(Date.now() + hours * hourMs) : new Date(at)).toISOString();
}

function toLocal(date: Date): string {
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

interface ExpiryFieldProps {
  readonly label: string;
  readonly value: Ending;
  readonly onChange: (value: Ending) => void;
  readonly size?: "xs" | "sm";
}

/** Chooses when access ends. */
export function ExpiryField({ label, value, onChange, size = "sm" }: ExpiryFieldProps) {
  const choose = (chosen: string) => {
    const hours = Number(chosen);
    onChange(Number.isInteger(hours) ? { ...value, way: "hours", hours } : { ...value, way: chosen === "at" ? "at" : "never" });
  };
  return (
    <Flex gap="2" align="flex-start" wrap="wrap">
      <SelectField label={label} size={size} value={value.way === "hours" ? String(value.hours) : value.way} onChoose={choose}>
        <option value="never">without end</option>
        {spans.map(({ hours, words }) => (
          <option key={hours} value={hours}>
            {words}
          </option>
        ))}
        <option value="at">until …</option>
      </SelectField>
      {value.way === "at" ? (
        <Box>
          <Input
            type="datetime-local"
            aria-label={`${label}: day and time`}
            title={`by your clock, ${zone}`}
            size={size}
            w="auto"
            required
            min={toLocal(new Date())}
            value={value.at}
            onChange={(event) => onChange({ ...value, at: event.currentTarget.value })}
          />
          <Text fontSize="2xs" color="fg.muted" mt="0.5">
            {zone}
          </Text>
        </Box>
      ) : null}
    </Flex>
  );
}
