import { Button, type ButtonProps } from "@chakra-ui/react";

interface IconButtonProps extends Omit<ButtonProps, "aria-label"> {
  /** Says what it does: the accessible name and the tooltip. */
  readonly label: string;
}

/** A square button with only an icon. 32 px, so that it is large enough for a finger's target minimum. */
export function IconButton({ label, children, ...props }: IconButtonProps) {
  return (
    <Button
      aria-label={label}
      data-tip={label}
      size="xs"
      variant="ghost"
      px="0"
      css={{ "& svg": { w: "4", h: "4" } }}
      color="fg.muted"
      _hover={{ color: "fg", bg: "bg.muted" }}
      {...props}
    >
      {children}
    </Button>
  );
}
