import { Text } from "@chakra-ui/react";
import { useState } from "react";
import { Link, useNavigate } from "react-router";
import { fieldProblem } from "../ui/describe-error.ts";
import { ErrorPanel } from "../ui/error-panel.tsx";
import { TextField } from "../ui/form-field.tsx";
import { SkeletonRows } from "../ui/skeleton-rows.tsx";
import { EmailField, EntryForm, NewPasswordField } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useLinkToken } from "./link-token.ts";
import { useCompleteSignUp, useRequestSignUp, useSignUpPolicy } from "./queries.ts";

/** Where an invitation leads, and where one asks for the link oneself. */
export default function SignUpPage() {
  const token = useLinkToken();
  return token === null ? <AskForLink /> : <AccountForm token={token} />;
}

function AskForLink() {
  const policy = useSignUpPolicy();
  const request = useRequestSignUp();
  const [email, setEmail] = useState("");
  if (policy.isPending) return <SkeletonRows rows={2} />;
  if (policy.isError) {
    return (
      <EntryFrame title="Make an account" lead="The server did not say who may make one.">
        <ErrorPanel error={policy.error} onRetry={() => void policy.refetch()} />
      </EntryFrame>
    );
  }
  const { mode, domains } = policy.data;
  if (mode === "closed" || mode === "invite") {
    return (
      <EntryFrame title="By invitation" lead="Accounts on this server are made by invitation. Ask an administrator for one.">
        <Link to="/sign-in">Sign in</Link>
      </EntryFrame>
    );
  }
  if (request.isSuccess) return <LinkSent email={email} />;
  const lead = mode === "domain" ? `With an address of ${domains.join(" or ")}.` : "A link is sent to your address.";
  return (
    <EntryFrame title="Make an account" lead={lead}>
      <EntryForm error={request.error} pending={request.isPending} submit="Send the link" onSubmit={() => request.mutate(email)}>
        <EmailField value={email} onChange={setEmail} problem={fieldProblem(request.error, "email")} />
      </EntryForm>
    </EntryFrame>
  );
}

function LinkSent({ email }: { readonly email: string }) {
  return (
    <EntryFrame title="Look into your mail" lead={`If ${email} can have an account here, a link is on its way to it.`}>
      <Text color="fg.muted" fontSize="sm">
        Nothing came? Look among the unwanted mail, or ask an administrator: where this server sends no mail, they can see the link.
      </Text>
    </EntryFrame>
  );
}

function AccountForm({ token }: { readonly token: string }) {
  const complete = useCompleteSignUp();
  const navigate = useNavigate();
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const { error } = complete;
  const onSubmit = () => complete.mutate({ token, name, password }, { onSuccess: () => void navigate("/", { replace: true }) });
  return (
    <EntryFrame title="Make your account" lead="Choose your name and a password. Your address is known from the link.">
      <EntryForm error={error} pending={complete.isPending} submit="Create account and sign in" onSubmit={onSubmit}>
        <TextField
          label="Name"
          autoComplete="name"
          autoFocus
          required
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          problem={fieldProblem(error, "name")}
        />
        <NewPasswordField value={password} onChange={setPassword} problem={fieldProblem(error, "password")} />
      </EntryForm>
    </EntryFrame>
  );
}
