import { Portal, Tooltip } from "@chakra-ui/react";
import type { ReactNode } from "react";

interface TipProps {
  readonly text: ReactNode;
  readonly children: ReactNode;
}

/** A short text for what is hovered or focused. The child must be able to take focus, or the text must be said elsewhere too. */
export function Tip({ text, children }: TipProps) {
  return (
    <Tooltip.Root openDelay={350} closeDelay={60} lazyMount unmountOnExit>
      <Tooltip.Trigger asChild>{children}</Tooltip.Trigger>
      <Portal>
        <Tooltip.Positioner>
          <Tooltip.Content px="2" py="1" fontSize="xs" fontWeight="normal" maxW="80">
            {text}
          </Tooltip.Content>
        </Tooltip.Positioner>
      </Portal>
    </Tooltip.Root>
  );
}
