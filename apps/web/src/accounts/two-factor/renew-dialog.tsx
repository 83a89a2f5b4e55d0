import { Box, Text } from "@chakra-ui/react";
import { useState } from "react";
import { Modal } from "../../ui/modal.tsx";
import { CodeField, EntryForm, PasswordField } from "../entry-form.tsx";
import { useRenewRecoveryCodes } from "./queries.ts";
import { RecoveryCodes } from "./recovery-codes.tsx";

/** Other recovery codes in place of those that there are: with the password and a code. */
export function RenewDialog({ onClose }: { readonly onClose: () => void }) {
  const renew = useRenewRecoveryCodes();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  return (
    <Modal label={renew.data ? "Recovery codes" : "New recovery codes"} onClose={onClose}>
      <Box p="4">
        {renew.data ? (
          <RecoveryCodes codes={renew.data} onClose={onClose} />
        ) : (
          <EntryForm
            error={renew.error}
            pending={renew.isPending}
            submit="Make new codes"
            onSubmit={() => renew.mutate({ password, code })}
          >
            <Text>Those that you have now are worth nothing any more then.</Text>
            <PasswordField value={password} onChange={setPassword} />
            <CodeField value={code} onChange={setCode} />
          </EntryForm>
        )}
      </Box>
    </Modal>
  );
}
