import { Box, Button, Flex, Text } from "@chakra-ui/react";
import { type FormEvent, type ReactNode, useState } from "react";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";

/** Something that is done once it was confirmed. */
interface ConfirmedActionProps {
  readonly label: string;
  /** What it does, in a line. */
  readonly note: ReactNode;
  /** What is asked before it is done. */
  readonly question: string;
  /** The words of the button that does it. */
  readonly confirm: string;
  /** A reason has to be given, which is kept. */
  readonly reasoned?: boolean;
  readonly dangerous?: boolean;
  /** How it goes. */
  readonly action: { readonly isPending: boolean; readonly error: unknown };
  /** Does it. `done`: it is, and the question goes. */
  readonly onConfirm: (reason: string, done: () => void) => void;
}

/** A row with what can be done, and the question before it. */
export function ConfirmedAction(props: ConfirmedActionProps) {
  const { label, note, question, confirm, reasoned = false, dangerous = false, action, onConfirm } = props;
  const [open, setOpen] = useState(false);
  const [reason, setReason] = useState("");
  const close = () => {
    setOpen(false);
    setReason("");
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onConfirm(reason.trim(), close);
  };
  return (
    <Box px="4" py="2.5" borderTopWidth="1px" borderColor="border.muted" _first={{ borderTopWidth: "0" }}>
      <Flex columnGap="3" rowGap="1" align="center" wrap="wrap">
        <Text flex="1 1 220px" fontSize="xs" color="fg.muted">
          {note}
        </Text>
        <Button
          size="xs"
          variant="outline"
          minW="40"
          {...(dangerous ? { colorPalette: "red" } : {})}
          aria-expanded={open}
          onClick={() => (open ? close() : setOpen(true))}
        >
          {label}
        </Button>
      </Flex>
      {open ? (
        <Box as="form" onSubmit={submit} mt="2" p="3" bg="bg.subtle" borderWidth="1px" borderColor="border" rounded="md">
          <Text>{question}</Text>
          {reasoned ? (
            <Box mt="2">
              <TextField
                label="Reason"
                help="Kept in the audit trail."
                autoFocus
                required
                maxLength={500}
                value={reason}
                onChange={(event) => setReason(event.currentTarget.value)}
              />
            </Box>
          ) : null}
          {action.error ? (
            <Box mt="2">
              <ErrorPanel error={action.error} />
            </Box>
          ) : null}
          <Flex gap="2" mt="3" justify="flex-end">
            <Button size="xs" variant="ghost" onClick={close}>
              Cancel
            </Button>
            <Button
              type="submit"
              size="xs"
              colorPalette={dangerous ? "red" : "accent"}
              disabled={reasoned && reason.trim() === ""}
              loading={action.isPending}
            >
              {confirm}
            </Button>
          </Flex>
        </Box>
      ) : null}
    </Box>
  );
}
