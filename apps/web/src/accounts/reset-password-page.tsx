import { Button } from "@chakra-ui/react";
import { useState } from "react";
import { Link } from "react-router";
import { fieldProblem } from "../ui/describe-error.ts";
import { EntryForm, NewPasswordField } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useLinkToken } from "./link-token.ts";
import { useCompletePasswordReset } from "./queries.ts";

/** Where the link of a forgotten password leads. */
export default function ResetPasswordPage() {
  const token = useLinkToken() ?? "";
  const complete = useCompletePasswordReset();
  const [password, setPassword] = useState("");
  if (complete.isSuccess) {
    return (
      <EntryFrame title="The password is set" lead="You were signed out everywhere. Sign in with the new password.">
        <Button asChild size="sm" w="full" colorPalette="accent">
          <Link to="/sign-in">Sign in</Link>
        </Button>
      </EntryFrame>
    );
  }
  const { error } = complete;
  return (
    <EntryFrame title="Set a new password" lead="It replaces the old one, and you are signed out everywhere.">
      <EntryForm error={error} pending={complete.isPending} submit="Set password" onSubmit={() => complete.mutate({ token, password })}>
        <NewPasswordField label="New password" value={password} onChange={setPassword} problem={fieldProblem(error, "password")} />
      </EntryForm>
    </EntryFrame>
  );
}
