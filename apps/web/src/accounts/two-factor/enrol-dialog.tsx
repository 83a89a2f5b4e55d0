import { Box, Flex, QrCode, Text } from "@chakra-ui/react";
import { useState } from "react";
import { Copyable } from "../../ui/copyable.tsx";
import { Modal } from "../../ui/modal.tsx";
import { CodeField, EntryForm, PasswordField } from "../entry-form.tsx";
import { useBeginTwoFactor, useConfirmTwoFactor } from "./queries.ts";
import { RecoveryCodes } from "./recovery-codes.tsx";

/** Turning the second factor on: the password, the secret, a code, the recovery codes. */
export function EnrolDialog({ onClose }: { readonly onClose: () => void }) {
  const begin = useBeginTwoFactor();
  const confirm = useConfirmTwoFactor();
  const [password, setPassword] = useState("");
  const [code, setCode] = useState("");
  const title = confirm.data ? "Recovery codes" : "Turn the second factor on";
  return (
    <Modal label={title} onClose={onClose}>
      <Box p="4">
        {confirm.data ? (
          <RecoveryCodes codes={confirm.data} onClose={onClose} />
        ) : begin.data ? (
          <EntryForm error={confirm.error} pending={confirm.isPending} submit="Turn on" onSubmit={() => confirm.mutate(code)}>
            <Secret uri={begin.data.uri} secret={begin.data.secret} />
            <CodeField value={code} onChange={setCode} />
          </EntryForm>
        ) : (
          <EntryForm error={begin.error} pending={begin.isPending} submit="Go on" onSubmit={() => begin.mutate(password)}>
            <PasswordField value={password} onChange={setPassword} />
          </EntryForm>
        )}
      </Box>
    </Modal>
  );
}

function Secret({ uri, secret }: { readonly uri: string; readonly secret: string }) {
  return (
    <Box>
      <Text mb="3">Scan this with an authenticator, or type the secret into it.</Text>
      {/* Scanners want dark on light, also in dark mode. */}
      <Flex justify="center" bg="white" p="3" rounded="md" borderWidth="1px" borderColor="border">
        <QrCode.Root value={uri}>
          <QrCode.Frame role="img" aria-label="The secret, to be scanned" w="176px" h="176px">
            <QrCode.Pattern fill="black" />
          </QrCode.Frame>
        </QrCode.Root>
      </Flex>
      <Box mt="2">
        <Copyable text={secret} label="secret" />
      </Box>
    </Box>
  );
}
