import { Box, chakra, Flex, Heading } from "@chakra-ui/react";
import { X } from "lucide-react";
import { type ReactNode, useEffect, useRef } from "react";
import { IconButton } from "./icon-button.tsx";

interface ModalProps {
  readonly label: string;
  readonly onClose: () => void;
  readonly children: ReactNode;
  /** `top`: near the top, like a palette. `left`, `right`: a drawer. */
  readonly place?: "center" | "top" | "left" | "right";
  readonly width?: string;
  readonly header?: boolean;
}

const placeStyles = {
  center: { m: "auto" },
  top: { mx: "auto", mt: "12vh", mb: "auto" },
  left: { ml: "0", my: "0", h: "100dvh", maxH: "100dvh", roundedLeft: "0" },
  right: { ml: "auto", mr: "0", my: "0", h: "100dvh", maxH: "100dvh", roundedRight: "0" },
} as const;

/** What is written into. */
const fields = 'input:not([type="checkbox"], [type="radio"], [type="file"], [hidden]), textarea';

/** A dialog on the browser's own `<dialog>`: it traps focus, closes on Escape and gives focus back by itself. */
export function Modal({ label, onClose, children, place = "center", width = "28rem", header = true }: ModalProps) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current;
    if (dialog && !dialog.open) {
      dialog.showModal();
      // The browser chooses the first that takes the focus, also a box that scrolls, and `autoFocus` comes before there is anything to see.
      dialog.querySelector<HTMLElement>(fields)?.focus();
    }
    return () => dialog?.close();
  }, []);
  return (
    <chakra.dialog
      ref={ref}
      aria-label={label}
      onClose={onClose}
      onMouseDown={(event) => {
        if (event.target === ref.current) ref.current?.close();
      }}
      p="0"
      w={place === "left" ? width : `min(${width}, calc(100vw - 32px))`}
      maxH="80dvh"
      overflow="hidden"
      bg="bg.panel"
      color="fg"
      borderWidth="1px"
      borderColor="border"
      rounded="lg"
      shadow="lg"
      css={{ "&::backdrop": { background: "rgb(0 0 0 / 0.4)" } }}
      {...placeStyles[place]}
    >
      <Flex direction="column" maxH="inherit" h={place === "left" || place === "right" ? "100%" : "auto"}>
        {header ? (
          <Flex align="center" justify="space-between" px="4" py="2" borderBottomWidth="1px" borderColor="border">
            <Heading as="h2" fontSize="md" fontWeight="semibold">
              {label}
            </Heading>
            <IconButton label="Close" onClick={() => ref.current?.close()}>
              <X />
            </IconButton>
          </Flex>
        ) : null}
        <Box overflowY="auto" minH="0" flex="1">
          {children}
        </Box>
      </Flex>
    </chakra.dialog>
  );
}
