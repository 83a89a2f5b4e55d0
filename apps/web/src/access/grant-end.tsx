import { Button, Flex } from "@chakra-ui/react";
import { type FormEvent, useState } from "react";
import { endingOf, ExpiryField, toExpiry } from "./expiry-field.tsx";

interface GrantEndProps {
  /** Whose access it is. */
  readonly name: string;
  readonly expiresAt: string | null;
  readonly onSave: (expiresAt: string | null) => void;
  readonly onClose: () => void;
}

/** Changes when somebody's access ends. */
export function GrantEnd({ name, expiresAt, onSave, onClose }: GrantEndProps) {
  const [ending, setEnding] = useState(() => endingOf(expiresAt));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    onSave(toExpiry(ending));
  };
  return (
    <Flex as="form" onSubmit={submit} gap="2" px="4" pb="3" align="flex-start" wrap="wrap">
      <ExpiryField label={`Access of ${name}`} size="xs" value={ending} onChange={setEnding} />
      <Button type="submit" size="xs" colorPalette="accent">
        Save
      </Button>
      <Button size="xs" variant="ghost" onClick={onClose}>
        Keep it
      </Button>
    </Flex>
  );
}
