import { Box, Flex, Text } from "@chakra-ui/react";
import { formatCount } from "./format.ts";

interface TrendChartProps {
  readonly title: string;
  /** Times in milliseconds, oldest first. */
  readonly points: readonly { readonly at: number; readonly value: number }[];
  /** How much time the chart is wide; the newest point is at its right edge. */
  readonly spanMs: number;
  /** A level to compare with, drawn dashed. */
  readonly limit?: { readonly label: string; readonly value: number } | null;
  readonly color?: string;
}

const width = 300;
const height = 64;

/** How a count changed lately: a stepped line, with what it is now and its highest in words. */
export function TrendChart({ title, points, spanMs, limit = null, color = "accent.solid" }: TrendChartProps) {
  const now = points.at(-1)?.value ?? 0;
  const most = points.reduce((highest, point) => Math.max(highest, point.value), 0);
  const top = Math.max(most, limit?.value ?? 0, 1) * 1.1;
  const newest = points.at(-1)?.at ?? 0;
  const y = (value: number) => height - (value / top) * height;
  const line = points
    .map((point, index) => {
      const x = width - ((newest - point.at) / spanMs) * width;
      return index === 0 ? `M${x} ${y(point.value)}` : `H${x}V${y(point.value)}`;
    })
    .join("");
  const start = width - ((newest - (points[0]?.at ?? 0)) / spanMs) * width;
  const words = `now ${formatCount(now)}, at most ${formatCount(most)}${limit === null ? "" : `, ${limit.label} ${formatCount(limit.value)}`}`;
  return (
    <Box role="img" aria-label={`${title}: ${words}`} minW="0">
      <Flex align="baseline" gap="2" mb="1">
        <Text fontWeight="medium">{title}</Text>
        <Text fontSize="xs" color="fg.subtle" ml="auto">
          {words}
        </Text>
      </Flex>
      <Box color={color} borderBottomWidth="1px" borderColor="border.emphasized">
        <svg viewBox={`0 0 ${width} ${height}`} width="100%" height={height} preserveAspectRatio="none" aria-hidden="true" display="block">
          {limit === null ? null : (
            <path
              d={`M0 ${y(limit.value)}H${width}`}
              stroke="var(--chakra-colors-border-emphasized)"
              strokeDasharray="4 4"
              vectorEffect="non-scaling-stroke"
            />
          )}
          {points.length === 0 ? null : (
            <>
              <path d={`${line}V${height}H${start}Z`} fill="currentColor" opacity="0.15" />
              <path d={line} fill="none" stroke="currentColor" strokeWidth="1.5" vectorEffect="non-scaling-stroke" />
            </>
          )}
        </svg>
      </Box>
    </Box>
  );
}
