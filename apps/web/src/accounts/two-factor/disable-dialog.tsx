import { Box } from "@chakra-ui/react";
import { useState } from "react";
import { Modal } from "../../ui/modal.tsx";
import { CodeField, EntryForm, PasswordField } from "../entry-form.tsx";
import { useDisableTwoFactor } from "./queries.ts";

/** Turning the second factor off: with the password and a code. */
export function DisableDialog({ onClose }: { readonly onClose: () => void }) {
  const disable = useDisableTwoFactor();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  return (
    <Modal label="Turn the second factor off" onClose={onClose}>
      <Box p="4">
        <EntryForm
          error={disable.error}
          pending={disable.isPending}
          submit="Turn off"
          onSubmit={() => disable.mutate({ password, code }, { onSuccess: onClose })}
        >
          <PasswordField value={password} onChange={setPassword} />
          <CodeField value={code} onChange={setCode} />
        </EntryForm>
      </Box>
    </Modal>
  );
}
