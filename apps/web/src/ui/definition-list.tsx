import { Box, Grid } from "@chakra-ui/react";
import { Fragment, type ReactNode } from "react";

interface DefinitionListProps {
  /** Null values are left out. */
  readonly items: readonly (readonly [string, ReactNode])[];
}

/** Names on the left, values on the right; below each other on small screens. */
export function DefinitionList({ items }: DefinitionListProps) {
  return (
    <Grid as="dl" templateColumns={{ base: "1fr", sm: "160px minmax(0, 1fr)" }} columnGap="4" px="4" py="2">
      {items
        .filter(([, value]) => value !== null)
        .map(([name, value]) => (
          <Fragment key={name}>
            <Box as="dt" color="fg.muted" pt="1.5" pb={{ base: "0", sm: "1.5" }}>
              {name}
            </Box>
            <Box as="dd" py="1.5" pt={{ base: "0", sm: "1.5" }} minW="0" overflowWrap="anywhere">
              {value}
            </Box>
          </Fragment>
        ))}
    </Grid>
  );
}
