import { Text } from "@chakra-ui/react";
import { useState } from "react";
import { EmailField, EntryForm } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useRequestPasswordReset } from "./queries.ts";

/** Asks for the link that sets a new password. */
export default function ForgotPasswordPage() {
  const request = useRequestPasswordReset();
  const [email, setEmail] = useState("");
  if (request.isSuccess) {
    return (
      <EntryFrame title="Look into your mail" lead={`If ${email} has an account here, a link is on its way to it.`}>
        <Text color="fg.muted" fontSize="sm">
          It works once, for an hour. Where this server sends no mail, an administrator can make a link for you.
        </Text>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Forgot the password?" lead="A link to set a new one is sent to your address.">
      <EntryForm error={request.error} pending={request.isPending} submit="Send the link" onSubmit={() => request.mutate(email)}>
        <EmailField value={email} onChange={setEmail} />
      </EntryForm>
    </EntryFrame>
  );
}
