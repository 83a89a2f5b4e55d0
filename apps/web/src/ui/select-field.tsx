import { NativeSelect } from "@chakra-ui/react";
import type { ReactNode } from "react";

interface SelectFieldProps {
  /** The accessible name; the choice itself says the rest. */
  readonly label: string;
  readonly value: string;
  readonly onChoose: (value: string) => void;
  readonly children: ReactNode;
  readonly width?: string;
  readonly size?: "xs" | "sm";
}

/** A choice among a few words, without a label of its own. */
export function SelectField({ label, value, onChoose, children, width = "auto", size = "sm" }: SelectFieldProps) {
  return (
    <NativeSelect.Root size={size} w={width} flexShrink="0">
      <NativeSelect.Field aria-label={label} value={value} onChange={(event) => onChoose(event.currentTarget.value)}>
        {children}
      </NativeSelect.Field>
      <NativeSelect.Indicator />
    </NativeSelect.Root>
  );
}
