import { Box, Flex, Text } from "@chakra-ui/react";

/** What a bar is made of, from below. */
export interface ChartPart<Day> {
  readonly label: string;
  readonly value: (day: Day) => number;
  readonly color: string;
}

interface DayChartProps<Day extends { readonly day: string }> {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly days: readonly Day[];
  readonly format: (value: number) => string;
  /** The height of a bar, of one piece; or its parts. */
  readonly value?: (day: Day) => number;
  readonly color?: string;
  readonly parts?: readonly ChartPart<Day>[];
  /** What all days come to, where that is not their sum. */
  readonly summary?: string;
  /** What a bar says, where that is not what its parts come to. */
  readonly tell?: (day: Day) => string;
}

/** A bar for each day; days on which nothing was used are there too. */
export function DayChart<Day extends { readonly day: string }>(props: DayChartProps<Day>) {
  const { title, from, to, days, format, color = "accent.solid", value, summary, tell } = props;
  const parts = props.parts ?? [{ label: title, value: value ?? (() => 0), color }];
  const known = new Map(days.map((day) => [day.day, day]));
  const bars = eachDay(from, to).map((day) => {
    const found = known.get(day);
    const heights = parts.map((part) => (found === undefined ? 0 : Math.max(part.value(found), 0)));
    return { day, found, heights, sum: heights.reduce((sum, height) => sum + height, 0) };
  });
  const most = Math.max(...bars.map(({ sum }) => sum), 0);
  const whole = summary ?? format(bars.reduce((sum, bar) => sum + bar.sum, 0));
  const tellBar = ({ day, found, heights, sum }: (typeof bars)[number]) => {
    if (found !== undefined && tell !== undefined) return `${day}: ${tell(found)}`;
    const pieces = parts.length === 1 ? [] : parts.map(({ label }, index) => `${label} ${format(heights[index] ?? 0)}`);
    return `${day}: ${pieces.length === 0 || sum === 0 ? format(sum) : pieces.join(", ")}`;
  };
  return (
    <Box role="img" aria-label={`${title}: ${whole} in ${bars.length} days, at most ${format(most)} on one`} minW="0">
      <Flex align="baseline" gap="2" mb={parts.length === 1 ? "2" : "0"}>
        <Text fontWeight="medium">{title}</Text>
        <Text fontSize="xs" color="fg.subtle" ml="auto" textAlign="right">
          {whole}
        </Text>
      </Flex>
      {parts.length === 1 ? null : <Legend parts={parts} />}
      <Flex align="flex-end" gap="1px" h="16" borderBottomWidth="1px" borderColor="border.emphasized" aria-hidden>
        {bars.map((bar) => (
          <Flex
            key={bar.day}
            data-tip={tellBar(bar)}
            flex="1"
            h="full"
            direction="column-reverse"
            justify="flex-start"
            _hover={{ bg: "bg.muted" }}
          >
            {parts.map((part, index) => (
              <Box
                key={part.label}
                w="full"
                bg={part.color}
                _last={{ roundedTop: "2px" }}
                style={{ height: most === 0 ? 0 : `${((bar.heights[index] ?? 0) / most) * 100}%` }}
              />
            ))}
          </Flex>
        ))}
      </Flex>
      <Flex justify="space-between" fontSize="xs" color="fg.subtle" mt="1" aria-hidden>
        <span>{from}</span>
        <span>{to}</span>
      </Flex>
    </Box>
  );
}

function Legend<Day>({ parts }: { readonly parts: readonly ChartPart<Day>[] }) {
  return (
    <Flex gap="3" mb="2" wrap="wrap" fontSize="xs" color="fg.muted" aria-hidden>
      {parts.map(({ label, color }) => (
        <Flex key={label} align="center" gap="1">
          <Box w="2" h="2" rounded="2px" bg={color} />
          {label}
        </Flex>
      ))}
    </Flex>
  );
}

function eachDay(from: string, to: string): string[] {
  const count = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, index) =>
    new Date(Date.parse(from) + index * 86_400_000).toISOString().slice(0, 10),
  );
}
