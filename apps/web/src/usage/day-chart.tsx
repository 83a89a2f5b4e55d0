import { Box, Flex, Text } from "@chakra-ui/react";
import { Tip } from "../ui/tip.tsx";

interface DayChartProps<Day extends { readonly day: string }> {
  readonly title: string;
  readonly from: string;
  readonly to: string;
  readonly days: readonly Day[];
  readonly value: (day: Day) => number;
  readonly format: (value: number) => string;
  readonly color?: string;
}

/** A bar for each day; days on which nothing was used are there too. */
export function DayChart<Day extends { readonly day: string }>({
  title,
  from,
  to,
  days,
  value,
  format,
  color = "accent.solid",
}: DayChartProps<Day>) {
  const known = new Map(days.map((day) => [day.day, value(day)]));
  const bars = eachDay(from, to).map((day) => ({ day, value: Math.max(known.get(day) ?? 0, 0) }));
  const most = Math.max(...bars.map((bar) => bar.value), 0);
  const total = bars.reduce((sum, bar) => sum + bar.value, 0);
  return (
    <Box role="img" aria-label={`${title}: ${format(total)} in ${bars.length} days, at most ${format(most)} on one`} minW="0">
      <Flex align="baseline" gap="2" mb="2">
        <Text fontWeight="medium">{title}</Text>
        <Text fontSize="xs" color="fg.subtle" ml="auto">
          {format(total)}
        </Text>
      </Flex>
      <Flex align="flex-end" gap="1px" h="16" borderBottomWidth="1px" borderColor="border.emphasized" aria-hidden>
        {bars.map((bar) => (
          <Tip key={bar.day} text={`${bar.day}: ${format(bar.value)}`}>
            <Flex flex="1" h="full" align="flex-end" _hover={{ bg: "bg.muted" }}>
              <Box w="full" bg={color} roundedTop="2px" style={{ height: most === 0 ? 0 : `${(bar.value / most) * 100}%` }} />
            </Flex>
          </Tip>
        ))}
      </Flex>
      <Flex justify="space-between" fontSize="xs" color="fg.subtle" mt="1" aria-hidden>
        <span>{from}</span>
        <span>{to}</span>
      </Flex>
    </Box>
  );
}

function eachDay(from: string, to: string): string[] {
  const count = Math.round((Date.parse(to) - Date.parse(from)) / 86_400_000) + 1;
  return Array.from({ length: Math.max(count, 0) }, (_, index) =>
    new Date(Date.parse(from) + index * 86_400_000).toISOString().slice(0, 10),
  );
}
