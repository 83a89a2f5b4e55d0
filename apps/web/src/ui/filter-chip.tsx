import { Button, type ButtonProps } from "@chakra-ui/react";

interface FilterChipProps extends ButtonProps {
  readonly pressed: boolean;
}

/** A filter that is on or off. */
export function FilterChip({ pressed, children, ...props }: FilterChipProps) {
  return (
    <Button
      size="2xs"
      h="7"
      px="2"
      gap="1.5"
      rounded="full"
      variant="outline"
      aria-pressed={pressed}
      fontWeight="medium"
      borderColor={pressed ? "accent.border" : "border"}
      bg={pressed ? "accent.subtle" : "transparent"}
      color={pressed ? "accent.fg" : "fg.muted"}
      _hover={{ bg: pressed ? "accent.muted" : "bg.muted" }}
      {...props}
    >
      {children}
    </Button>
  );
}
