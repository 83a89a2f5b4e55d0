import { Button } from "@chakra-ui/react";
import { Link } from "react-router";
import { EntryForm } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useLinkToken } from "./link-token.ts";
import { useConfirmEmail } from "./queries.ts";

/** Where the link that confirms an address leads. A person has to press: programs that look into mail open links, too. */
export default function VerifyEmailPage() {
  const token = useLinkToken() ?? "";
  const confirm = useConfirmEmail();
  if (confirm.isSuccess) {
    return (
      <EntryFrame title="Confirmed" lead={`${confirm.data} is the address of your account.`}>
        <Button asChild size="sm" w="full" colorPalette="accent">
          <Link to="/">Go on</Link>
        </Button>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Confirm your address" lead="Was it you who asked for this? Then press the button.">
      <EntryForm error={confirm.error} pending={confirm.isPending} submit="Confirm" onSubmit={() => confirm.mutate(token)}>
        {null}
      </EntryForm>
    </EntryFrame>
  );
}
