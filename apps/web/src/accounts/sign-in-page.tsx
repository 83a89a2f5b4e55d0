import { Flex } from "@chakra-ui/react";
import { useState } from "react";
import { Link, Navigate, useSearchParams } from "react-router";
import { Copyable } from "../ui/copyable.tsx";
import { errorCode } from "../ui/describe-error.ts";
import { CodeField, EmailField, EntryForm, PasswordField } from "./entry-form.tsx";
import { EntryFrame } from "./entry-frame.tsx";
import { useMe, useSetupStatus, useSignIn, useSignUpPolicy } from "./queries.ts";

/** Only a path of our own pages: a link must not lead away after signing in. */
function safeNext(next: string | null): string {
  return next !== null && /^\/(?![/\\])/.test(next) ? next : "/";
}

/** E-mail and password. */
export default function SignInPage() {
  const [search] = useSearchParams();
  const me = useMe();
  const setup = useSetupStatus();
  if (me.data) return <Navigate to={safeNext(search.get("next"))} replace />;
  if (setup.data?.needed) {
    return (
      <EntryFrame
        title="Not set up yet"
        lead="Nobody can sign in before the first administrator has been named. This command prints the set-up link; run it on the machine of the server."
      >
        <Copyable text="./syla up" label="command" />
      </EntryFrame>
    );
  }
  return <SignInForm />;
}

function SignInForm() {
  const signIn = useSignIn();
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [code, setCode] = useState<string | null>(null);
  const onSubmit = () =>
    signIn.mutate(
      { email, password, ...(code !== null && { code }) },
      { onError: (error) => errorCode(error) === "two_factor_required" && setCode("") },
    );
  const error = errorCode(signIn.error) === "two_factor_required" ? null : signIn.error;
  if (code !== null) {
    return (
      <EntryFrame title="Second step" lead={`The password of ${email} is right. Now prove that it is you.`}>
        <EntryForm error={error} pending={signIn.isPending} submit="Sign in" onSubmit={onSubmit}>
          <CodeField value={code} onChange={setCode} />
        </EntryForm>
      </EntryFrame>
    );
  }
  return (
    <EntryFrame title="Sign in" lead="With the account of this Syla server.">
      <EntryForm error={error} pending={signIn.isPending} submit="Sign in" onSubmit={onSubmit}>
        <EmailField value={email} onChange={setEmail} />
        <PasswordField value={password} onChange={setPassword} />
      </EntryForm>
      <OtherWays />
    </EntryFrame>
  );
}

function OtherWays() {
  const policy = useSignUpPolicy();
  const open = policy.data?.mode === "open" || policy.data?.mode === "domain";
  return (
    <Flex mt="4" gap="4" fontSize="sm" color="fg.muted" justify="space-between" wrap="wrap">
      <Link to="/forgot-password">Forgot the password?</Link>
      {open ? <Link to="/sign-up">Make an account</Link> : null}
    </Flex>
  );
}
